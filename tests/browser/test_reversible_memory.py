"""The memory of a training step, driven as a person drives it; every figure is Python's, to the byte."""

import base64
import random
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.memory import MODES, memory_plan, notes_plan
from companion.memory_sizes import ITEM_BYTES, Shape
from companion.widgets import ReversibleMemory

LIBRARY = Path(__file__).parents[2] / "companion" / "widgets" / "lib"
NAMES = {
    "standard": "standard",
    "checkpointed": "checkpointed",
    "reversible": "reversible",
    "lsh": "+ LSH",
    "chunked": "+ chunked",
    "inference": "inference",
}
BUCKETS = {"lsh", "chunked"}
MILLION = Shape(2**20)
SMALL = Shape(4096, 256, 6, 4, 1024)
# Made up: what is drawn is tested here, not what a machine takes.
MEASURED = [
    {
        "name": "made up",
        "mode": mode,
        "sizes": vars(SMALL),
        "bytes": size,
        "outside_bytes": 100_000_000,
    }
    for mode, size in [("reversible", 250_000_000), ("chunked", 210_000_000)]
]


def plan_of(shape, mode, *, materialised=False):
    return memory_plan(shape, mode, materialised=materialised and mode not in BUCKETS)


def peak_of(shape, mode, **options):
    plan = plan_of(shape, mode, **options)
    return plan.total(plan.peak())


def memory(shape=MILLION, **options):
    plans = [(mode, memory_plan(shape, mode)) for mode in MODES]
    peaks = {mode: plan.parts(plan.peak()) for mode, plan in plans}
    return ReversibleMemory(vars(shape), peaks, **options)


def said(size, step=1000):
    """Bytes as the page writes them: three digits."""
    names = (
        ["B", "kB", "MB", "GB", "TB", "PB"] if step == 1000 else ["B", "KiB", "MiB", "GiB", "TiB"]
    )
    while size >= 999.5:
        size, names = size / step, names[1:]
    return f"{float(f'{size:.3g}'):g} {names[0]}"


@dataclass
class Seen:
    """One such figure on a page: a person's eyes and hands."""

    page: Page
    nth: int = 0

    @property
    def place(self) -> Locator:
        return self.page.locator("[data-widget=ReversibleMemory]").nth(self.nth)

    @property
    def verdict(self) -> str:
        return self.place.locator(".verdict").inner_text().replace("\xa0", " ")

    @property
    def notes(self) -> str:
        return self.place.locator(".told").inner_text()

    @property
    def trouble(self) -> Locator:
        return self.place.locator(".trouble")

    @property
    def moment(self) -> tuple[str, str]:
        """The name of the moment shown, and how much is in memory then."""
        shown = self.place.locator(".first .name")
        return (
            shown.get_by_role("strong").inner_text(),
            shown.locator(".total").inner_text(),
        )

    def box(self, label: str) -> Locator:
        return self.place.get_by_role("textbox", name=label, exact=True)

    def slider(self, label: str) -> Locator:
        return self.place.get_by_role("slider", name=label)

    def button(self, name: str) -> Locator:
        return self.place.get_by_role("button", name=name)

    def chip(self, name: str) -> Locator:
        return self.place.get_by_role("checkbox", name=name)

    def bar(self, mode: str) -> Locator:
        return self.place.get_by_role("radio", name=re.compile(rf"^{re.escape(NAMES[mode])}: "))

    def size(self, mode: str) -> str:
        return self.bar(mode).locator(".size").inner_text()

    def share(self, mode: str, part: str) -> float:
        """How much of the rail a part of a bar takes."""
        rail = self.bar(mode).locator(".rail").bounding_box()
        return self.bar(mode).locator(f".bar .{part}").bounding_box()["width"] / rail["width"]

    def unfold(self, summary: str) -> list[list[str]]:
        """A table: its lines, and the cells of each."""
        details = self.place.locator("details", has_text=summary)
        if details.get_attribute("open") is None:
            details.locator("summary").click()
        details.locator("td").first.wait_for()
        return [line.split("\t") for line in details.locator("tr").all_inner_texts()]

    def bars_table(self) -> dict[str, dict[str, str]]:
        head, *lines = self.unfold("The bars as a table")
        return {name: {line[0]: line[i] for line in lines} for i, name in enumerate(head) if i}

    def living(self) -> Counter:
        """What lives now: (kind, part, how many, bytes)."""
        return Counter(map(tuple, self.unfold("What lives now")[1:]))

    def rows(self) -> list[list[str]]:
        """The named tensors below the film: label and bytes, and the sum of the rest."""
        rows = self.place.locator(".tensor:not(.first):not(.empty):has(.swatch)")
        return [row.split("\n") for row in rows.all_inner_texts()]

    @property
    def stage(self) -> Locator:
        return self.place.locator(".stage")

    def at(self, moment: int, moments: int) -> tuple[float, float]:
        """Where a moment is on the screen."""
        self.stage.scroll_into_view_if_needed()
        box = self.stage.bounding_box()
        return box["x"] + (moment + 0.5) / moments * box["width"], box["y"] + box["height"] / 2


@pytest.fixture
def seen(saved, open_page):
    def open_(widget=None, **options) -> Seen:
        return Seen(open_page(saved(widget or memory()), **options))

    return open_


def kinds(plan, moment):
    """What lives in a moment, tensors of one kind in all layers together."""
    found = {}
    for tensor in plan.at(moment):
        key = (re.sub(r" \d+$", "", tensor.name), tensor.part)
        count, size = found.get(key, (0, 0))
        found[key] = (count + 1, size + tensor.bytes)
    return Counter(
        (name, part, str(count), f"{size:,}") for (name, part), (count, size) in found.items()
    )


class TestToTheByte:
    RECKON = """async ([source, cases]) => {
      const { memoryPlan, partsOf, livingAt, keptBy, notesUnit } = await import(`data:text/javascript;base64,${source}`);
      return cases.map(([sizes, mode, materialised]) => {
        const plan = memoryPlan(sizes, mode, materialised);
        return {
          allocations: plan.allocations.map(({ name, bytes, first, last, part }) => [name, bytes, first, last, part]),
          moments: plan.moments, turn: plan.turn, totals: plan.totals, peak: plan.peak, unit: notesUnit(sizes),
          parts: partsOf(livingAt(plan, plan.peak)), kept: keptBy(plan).map(({ bytes }) => bytes),
        };
      });
    }"""

    @staticmethod
    def shapes():
        """Many that are drawn, and the edges: one position, one chunk, and as large as can be."""
        draw = random.Random(0)  # noqa: S311
        for _ in range(200):
            heads = draw.choice([1, 2, 3, 4, 8])
            yield Shape(
                length=draw.choice([draw.randint(1, 5000), 2 ** draw.randint(0, 21)]),
                d_model=2 * heads * draw.randint(1, 64),
                n_layers=draw.randint(1, 3),
                n_heads=heads,
                d_ff=draw.randint(1, 4000),
                batch=draw.randint(1, 5),
                n_tokens=draw.randint(1, 2000),
                dtype=draw.choice([*ITEM_BYTES]),
                rounds=draw.randint(1, 4),
                chunk=draw.randint(1, 128),
                rows=draw.randint(1, 3000),
            )
        yield Shape(1, 2, 1, 1, 1, n_tokens=1, chunk=1, rows=1)
        yield MILLION
        yield Shape(2**21, 512, 12, 8, 2048, dtype="float64")
        yield Shape(2**21, 1024, 48, 16, 4096, batch=4, n_tokens=10**6, rounds=16, rows=2**21)

    def test_every_allocation(self, open_page, saved):
        """Of every mode, with and without all weights written down, unless that is beyond 2^53."""
        cases = [
            (shape, mode, materialised)
            for shape in self.shapes()
            for mode in MODES
            for materialised in ((False,) if mode in BUCKETS else (False, True))
        ]
        cases = [case for case in cases if peak_of(*case[:2], materialised=case[2]) < 2**53]
        assert len(cases) > 2000
        source = base64.b64encode((LIBRARY / "memory.js").read_bytes()).decode()
        page = open_page(saved(memory(SMALL)))
        sent = [[vars(shape), mode, materialised] for shape, mode, materialised in cases]
        for (shape, mode, materialised), got in zip(
            cases, page.evaluate(self.RECKON, [source, sent]), strict=True
        ):
            plan = memory_plan(shape, mode, materialised=materialised)
            told = (shape, mode, materialised)
            wanted = [[a.name, a.bytes, a.first, a.last, a.part] for a in plan.allocations]
            assert got["allocations"] == wanted, told
            assert (tuple(got["moments"]), got["turn"]) == (plan.moments, plan.turn), told
            assert got["totals"] == [plan.total(i) for i in range(len(plan.moments))], told
            assert got["peak"] == plan.peak(), told
            assert got["parts"] == plan.parts(plan.peak()), told
            assert got["unit"] == notes_plan(shape)["input"], told
            if mode != "inference":
                assert got["kept"] == [a.bytes for a in plan.kept()], told

    @pytest.mark.parametrize(
        ("shape", "materialised"),
        [(MILLION, False), (MILLION, True), (replace(SMALL, dtype="bfloat16", batch=3), False)],
    )
    def test_the_table_of_bars(self, seen, shape, materialised):
        table = seen(memory(shape, materialised=materialised)).bars_table()
        assert [*table] == [*NAMES.values()]
        for mode, name in NAMES.items():
            plan = plan_of(shape, mode, materialised=materialised)
            parts = plan.parts(plan.peak())
            assert table[name] == {part: f"{size:,}" for part, size in parts.items()} | {
                "all": f"{plan.total(plan.peak()):,}",
                "fullest moment": plan.moments[plan.peak()],
            }

    @pytest.mark.parametrize("mode", MODES)
    def test_the_film(self, seen, mode):
        shape = replace(SMALL, n_layers=2)
        figure = seen(memory(shape, mode=mode))
        plan = memory_plan(shape, mode)
        assert figure.moment == (plan.moments[plan.peak()], said(plan.total(plan.peak())))
        for moment in range(0, len(plan.moments), 2):
            figure.slider("moment").fill(str(moment))
            assert figure.moment == (plan.moments[moment], said(plan.total(moment)))
            wanted = kinds(plan, moment)
            assert figure.living() == wanted
            sizes = [int(size.replace(",", "")) for *_, size in wanted]
            shown = [row[1] for row in figure.rows()]
            first, rest = sorted(sizes, reverse=True)[:8], sorted(sizes, reverse=True)[8:]
            assert shown == [*map(said, first), *([said(sum(rest))] if rest else [])]


class TestFigures:
    @pytest.mark.parametrize("mode", MODES)
    def test_verdict(self, seen, mode):
        figure = seen(memory(mode=mode))
        plan = memory_plan(MILLION, mode)
        total = plan.total(plan.peak())
        fits = "✓ fits" if total <= 16e9 else "✗ does not fit"
        assert figure.verdict == (
            f"{NAMES[mode]}: at most {said(total)}, in {plan.moments[plan.peak()]}; {fits} into 16 GB."
        )

    def test_the_fifty_of_the_notes_is_one_click_away(self, seen):
        figure = seen(memory(SMALL))
        figure.button("the notes’ 50 GB").click()
        assert "12 · 2 + 12 · 2 + 2 GiB = 50 GiB" in figure.notes
        assert sum(notes_plan(MILLION).values()) == 50 * 2**30
        assert figure.place.locator(".notes .size").inner_text() == "50 GiB"
        plan = memory_plan(MILLION, "standard")
        assert figure.size("standard") == said(plan.total(plan.peak()), 1024)
        for part in ("attention", "feed-forward", "loss"):
            left_out = sum(a.bytes for a in plan.kept() if a.part == part)
            assert said(left_out, 1024) in figure.notes
        assert figure.verdict.endswith("✗ does not fit into 16 GB (14.9 GiB).")
        figure.box("length, tokens").fill("1000000")
        figure.chip("GiB").uncheck()
        assert "12 · 2.05 + 12 · 2.05 + 2.05 GB = 51.2 GB" in figure.notes

    def test_a_million_tokens_fit(self, seen):
        figure = seen(memory(SMALL))
        figure.button("a million tokens in 16 GB").click()
        assert "✓ fits into 16 GB." in figure.verdict
        assert figure.size("chunked") == said(peak_of(MILLION, "chunked"))
        expect(figure.button("a million tokens in 16 GB")).to_have_attribute("aria-pressed", "true")
        expect(figure.button("the notes’ 50 GB")).to_have_attribute("aria-pressed", "false")

    def test_bars_are_as_long_as_they_say(self, seen):
        figure = seen()
        largest = peak_of(MILLION, "standard")
        for mode in MODES:
            plan = memory_plan(MILLION, mode)
            for part, size in plan.parts(plan.peak()).items():
                assert figure.share(mode, part) == pytest.approx(size / largest, abs=0.002)
        figure.chip("only to 32 GB").check()
        for part, size in memory_plan(MILLION, "chunked").parts(26).items():
            assert figure.share("chunked", part) == pytest.approx(size / 32e9, abs=0.002)
        expect(figure.bar("standard").locator(".cut")).to_have_count(1)
        expect(figure.bar("chunked").locator(".cut")).to_have_count(0)
        rail = figure.bar("chunked").locator(".rail")
        line = rail.evaluate(
            "(e) => parseFloat(getComputedStyle(e, '::after').left) / e.clientWidth"
        )
        assert line == pytest.approx(0.5, abs=0.001)

    def test_weights_written_down(self, seen):
        figure = seen()
        figure.chip("write down all attention weights").check()
        for mode in MODES:
            assert figure.size(mode) == said(peak_of(MILLION, mode, materialised=True))
        assert figure.size("standard").endswith(" TB")
        assert figure.size("lsh") == said(peak_of(MILLION, "lsh"))

    def test_what_was_measured(self, seen):
        figure = seen(memory(measured=MEASURED))
        expect(figure.bar("chunked").locator(".mark")).to_be_hidden()
        figure.button("made up").click()
        total = said(peak_of(SMALL, "reversible"))
        assert figure.verdict.startswith(f"reversible: at most {total}, ")
        expect(figure.place.get_by_text("Measured: 250 MB at most")).to_be_visible()
        expect(figure.place.get_by_text("of which 100 MB is the program itself")).to_be_visible()
        largest = peak_of(SMALL, "standard")
        for trial in MEASURED:
            bar = figure.bar(trial["mode"])
            mark, rail = (bar.locator(part).bounding_box() for part in (".mark", ".rail"))
            middle = (mark["x"] + mark["width"] / 2 - rail["x"]) / rail["width"]
            assert middle == pytest.approx(trial["bytes"] / largest, abs=0.005)
            assert figure.share(trial["mode"], "outside") == pytest.approx(1e8 / largest, abs=0.002)
        expect(figure.bar("standard").locator(".mark")).to_be_hidden()
        figure.box("batch, texts").fill("2")
        expect(figure.bar("reversible").locator(".mark")).to_be_hidden()

    def test_a_ghost_of_standard(self, seen):
        figure = seen(memory(mode="chunked"))
        ghost = figure.place.locator(".ghost")
        expect(ghost).to_have_attribute("d", "")
        figure.chip("compare with standard").check()
        plan = memory_plan(MILLION, "standard")
        heights = re.findall(r"V([\d.e-]+)H", ghost.get_attribute("d"))
        top = 1.04 * plan.total(plan.peak())
        wanted = [100 - 100 * plan.total(i) / top for i in range(len(plan.moments))]
        assert [*map(float, heights)] == pytest.approx(wanted)
        figure.bar("standard").click()
        expect(figure.chip("compare with standard")).to_be_disabled()
        expect(ghost).to_have_attribute("d", "")


class TestHands:
    def test_every_size_is_typed(self, seen):
        figure = seen(memory(SMALL))
        shape = SMALL
        figure.place.get_by_text("more sizes").click()
        for label, name, typed in [
            ("length, tokens", "length", "10,000"),
            ("width, d_model", "d_model", "96"),
            ("layers", "n_layers", "3"),
            ("heads", "n_heads", "12"),
            ("inner width, d_ff", "d_ff", "100"),
            ("batch, texts", "batch", "2"),
            ("vocabulary", "n_tokens", "5000"),
            ("hash rounds", "rounds", "4"),
            ("chunk of attention", "chunk", "32"),
            ("rows at a time", "rows", "77"),
        ]:
            figure.box(label).fill(typed)
            shape = replace(shape, **{name: int(typed.replace(",", ""))})
            if name == "d_model":  # the inner width was four times as much, and goes on being that
                shape = replace(shape, d_ff=384)
                expect(figure.box("inner width, d_ff")).to_have_value("384")
            for mode in MODES:
                assert figure.size(mode) == said(peak_of(shape, mode))
        figure.place.get_by_role("combobox").select_option("float16")
        table = figure.bars_table()
        for mode in MODES:
            wanted = peak_of(replace(shape, dtype="float16"), mode)
            assert table[NAMES[mode]]["all"] == f"{wanted:,}"

    def test_length_by_the_slider(self, seen):
        figure = seen(memory(SMALL))
        figure.slider("length").focus()
        figure.page.keyboard.press("ArrowRight")
        expect(figure.box("length, tokens")).to_have_value("8,192")
        assert figure.size("standard") == said(peak_of(replace(SMALL, length=8192), "standard"))
        figure.page.keyboard.press("End")
        expect(figure.box("length, tokens")).to_have_value("2,097,152")
        figure.page.keyboard.press("Home")
        expect(figure.box("length, tokens")).to_have_value("512")

    @pytest.mark.parametrize(
        ("label", "typed", "sentence"),
        [
            ("heads", "7", "Width is 512, heads are 7: width must be a multiple of heads."),
            ("width, d_model", "511", "Width is 511: it must be even, for axial positions."),
            ("layers", "49", "layers: give a whole number, 1 to 48."),
            ("layers", "1.5", "layers: give a whole number, 1 to 48."),
            ("batch, texts", "", "batch, texts: give a whole number, 1 to 64."),
            ("length, tokens", "<b>", "length, tokens: give a whole number, 1 to 2,097,152."),
        ],
    )
    def test_sizes_that_do_not_fit(self, seen, label, typed, sentence):
        figure = seen()
        before = figure.size("standard")
        figure.box(label).fill(typed)
        expect(figure.trouble).to_have_text(f"{sentence} Shown are the last sizes that fit.")
        assert figure.size("standard") == before
        figure.bar("chunked").click()  # all else goes on, and the draft stays
        assert figure.verdict.startswith("+ chunked")
        expect(figure.box(label)).to_have_value(typed)
        expect(figure.trouble).not_to_have_text("")
        figure.button("a million tokens").click()
        expect(figure.trouble).to_have_text("")
        figure.box("layers").fill("11")
        assert figure.size("standard") == said(peak_of(replace(MILLION, n_layers=11), "standard"))

    def test_more_than_can_be_counted(self, seen):
        figure = seen(memory(replace(MILLION, n_layers=48, n_heads=32, dtype="float64")))
        weights = figure.chip("write down all attention weights")
        weights.click()
        expect(weights).not_to_be_checked()
        expect(figure.trouble).to_contain_text("More than 9 PB (2⁵³ bytes) cannot be counted here.")
        figure.box("layers").fill("12")
        weights.click()
        expect(weights).to_be_checked()
        figure.box("layers").fill("48")
        expect(figure.trouble).to_contain_text("More than 9 PB")
        shape = replace(MILLION, n_heads=32, dtype="float64")
        assert figure.size("standard") == said(peak_of(shape, "standard", materialised=True))

    def test_bars_by_keyboard(self, seen):
        figure = seen(memory(mode="standard"))
        figure.bar("standard").focus()
        for mode in ("checkpointed", "reversible", "lsh", "chunked", "inference", "standard"):
            figure.page.keyboard.press("ArrowDown")
            expect(figure.bar(mode)).to_be_focused()
            expect(figure.bar(mode)).to_have_attribute("aria-checked", "true")
            assert figure.verdict.startswith(f"{NAMES[mode]}: at most ")
            expect(figure.bar(mode)).to_have_attribute(
                "aria-label", f"{NAMES[mode]}: {said(peak_of(MILLION, mode))}"
            )

    def test_moments_by_mouse_and_keyboard(self, seen):
        figure = seen(memory(mode="standard"))
        plan = memory_plan(MILLION, "standard")
        figure.page.mouse.click(*figure.at(3, 53))
        assert figure.moment[0] == plan.moments[3] == "attention 2"
        figure.page.mouse.move(*figure.at(10, 53))
        figure.page.mouse.down()
        figure.page.mouse.move(*figure.at(20, 53))
        assert figure.moment[0] == plan.moments[20]
        figure.page.mouse.move(5000, 5)  # beyond the end
        assert figure.moment[0] == "update"
        figure.page.mouse.up()
        expect(figure.button("next")).to_be_disabled()
        figure.button("back").click()
        assert figure.moment[0] == "embedding, backward"
        figure.slider("moment").focus()
        figure.page.keyboard.press("Home")
        assert figure.moment[0] == "embedding"
        expect(figure.button("back")).to_be_disabled()
        figure.page.keyboard.press("ArrowRight")
        said_aloud = f"attention 1: {said(plan.total(1))}"
        expect(figure.slider("moment")).to_have_attribute("aria-valuetext", said_aloud)
        figure.button("fullest").click()
        assert figure.moment == (plan.moments[plan.peak()], said(plan.total(plan.peak())))

    def test_touch(self, seen):
        figure = seen(touch=True, width=390)
        figure.bar("standard").tap()
        assert figure.verdict.startswith("standard: at most ")
        figure.page.touchscreen.tap(*figure.at(5, 53))
        assert figure.moment[0] == memory_plan(MILLION, "standard").moments[5]
        figure.button("next").tap()
        assert figure.moment[0] == memory_plan(MILLION, "standard").moments[6]
        figure.chip("GiB").tap()
        assert figure.size("chunked") == said(peak_of(MILLION, "chunked"), 1024)
        figure.button("a million tokens").tap()
        assert figure.verdict.startswith("+ chunked: at most ")

    def test_play_runs_to_the_end_and_stops(self, seen):
        figure = seen(memory(replace(SMALL, n_layers=1), mode="inference"))
        figure.button("play").click()
        expect(figure.button("pause")).to_be_visible()
        expect(figure.place.locator(".first strong")).to_have_text("loss")
        expect(figure.button("play")).to_be_visible()

    def test_another_choice_stops_the_film(self, seen):
        figure = seen(memory(mode="standard"))
        figure.button("play").click()
        figure.bar("chunked").click()
        expect(figure.button("play")).to_be_visible()
        assert figure.moment[0] == "loss, backward"

    def test_no_motion_where_none_is_wanted(self, seen):
        figure = seen()
        figure.page.emulate_media(reduced_motion="reduce")
        figure.button("play").click()
        assert figure.moment[0] == "update"
        expect(figure.button("play")).to_be_visible()


class TestPage:
    def test_two_widgets_are_independent(self, saved, open_page):
        page = open_page(saved(memory(), memory(SMALL)))
        first, second = Seen(page), Seen(page, 1)
        first.bar("chunked").click()
        first.box("layers").fill("2")
        assert second.verdict.startswith("reversible")
        assert second.size("standard") == said(peak_of(SMALL, "standard"))

    def test_still_picture_without_javascript(self, saved, open_page):
        widget = memory()
        page = open_page(saved(widget), scripts=False)
        expect(page.get_by_role("img")).to_be_visible()
        expect(page.get_by_text(widget.describe())).to_be_visible()

    @pytest.mark.parametrize("width", [1280, 390])
    @pytest.mark.parametrize("measured", [(), MEASURED])
    def test_needs_no_more_room_than_was_kept_free(self, seen, width, measured):
        figure = seen(memory(measured=measured), width=width)
        kept = float(figure.place.evaluate("(e) => parseFloat(getComputedStyle(e).minHeight)"))
        heights = set()
        for gib in (False, True):
            figure.chip("GiB").set_checked(gib)
            for mode in MODES:
                figure.bar(mode).click()
                heights.add(figure.place.locator(".widget").bounding_box()["height"])
        assert max(heights) <= kept
        # On a wide page the book's column is narrower than this page's.
        assert kept - min(heights) < (80 if width == 390 else 260)
        assert figure.page.evaluate("document.scrollingElement.scrollWidth") <= width

    @pytest.mark.parametrize("width", [1280, 390])
    def test_nothing_moves_in_a_film(self, seen, width):
        figure = seen(memory(mode="checkpointed"), width=width)
        heights = set()
        for moment in range(0, 53, 6):
            figure.slider("moment").fill(str(moment))
            heights.add(figure.place.locator(".widget").bounding_box()["height"])
        assert len(heights) == 1

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_accessible(self, seen, scheme, width):
        figure = seen(memory(measured=MEASURED, ghost=True), scheme=scheme, width=width)
        figure.unfold("The bars as a table")
        figure.unfold("What lives now")
        assert violations(figure.page) == []
        figure.button("made up").click()
        figure.box("heads").fill("7")
        assert violations(figure.page) == []
