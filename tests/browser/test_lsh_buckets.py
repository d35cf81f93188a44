"""LSH attention in buckets, driven as a person drives it; what is read equals what Python computes."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.attention import attention_weights, causal_mask
from companion.hashing import angular_hash, random_rotations
from companion.lsh import candidates, cut_buckets, cut_sorted, lsh_attention, unit
from companion.widgets import LSHBuckets

CUTS = {"sorted": cut_sorted, "bucket": cut_buckets}
HASHING = Path(__file__).parents[2] / "companion/widgets/lib/hashing.js"
WORDS = [
    "we",
    "want",
    "a",
    "table",
    "for",
    "two",
    "near",
    "the",
    "door",
    "and",
    "bring",
    "the",
    "red",
    "wine",
    "please",
    "now",
]
CLOSE = 1e-6


def material(seed=0, length=16, d_k=2, rounds=4):
    generator = torch.Generator().manual_seed(seed)
    vectors = 2 * torch.randn(length, d_k, generator=generator)
    return vectors, random_rotations(d_k, 8, rounds, generator=generator)


@dataclass
class Reference:
    """What the mathematics says of vectors (length, d_k) and rotations (rounds, d_k, half)."""

    vectors: torch.Tensor
    rotations: torch.Tensor
    n_buckets: int = 8
    rounds: int = 1
    chunk: int = 4
    causal: bool = False
    cut: str = "sorted"
    look_back: bool = True
    scale: float = 1.0

    def __post_init__(self):
        self.vectors, self.rotations = self.vectors.double(), self.rotations.double()
        self.length = len(self.vectors)
        used = (self.rotations[..., : self.n_buckets // 2],)
        self.buckets = angular_hash(self.vectors, used)
        self.places = torch.stack([CUTS[self.cut](own, self.chunk) for own in self.buckets])

    def met(self, r):
        """Whether i meets j in round r, (length, length)."""
        place = self.places[r]
        if not self.look_back:
            return place[:, None] == place
        seen = candidates(place)
        met = torch.zeros(self.length, self.length + 1, dtype=torch.bool)
        return met.scatter(1, seen % (self.length + 1), value=True)[:, :-1]  # -1 lands outside

    def open(self, met):
        """The keys looked at, of those met: no later ones, itself only where there is no other."""
        open_ = met & ~torch.eye(self.length, dtype=torch.bool)
        if self.causal:
            open_ &= causal_mask(self.length)
        return open_ | (torch.eye(self.length, dtype=torch.bool) & ~open_.any(-1, keepdim=True))

    def seen(self, rounds=None):
        rounds = rounds or self.rounds
        return self.open(torch.stack([self.met(r) for r in range(rounds)]).any(0))

    def full(self):
        scores = self.scale * self.vectors @ unit(self.vectors).T
        return attention_weights(scores, self.open(torch.ones_like(scores, dtype=torch.bool)))

    def recall(self, rounds=None):
        return (self.full() * self.seen(rounds)).sum(-1)

    def lsh(self):
        """The weights that `lsh_attention` gives, or, without looking back, those of the keys seen."""
        if not self.look_back:
            return attention_weights(self.full().log().nan_to_num(neginf=-1e9), self.seen())
        values = torch.eye(self.length, dtype=torch.float64)
        settings = {"causal": self.causal, "cut": self.cut, "scale": self.scale}
        buckets = self.buckets[: self.rounds]
        return lsh_attention(self.vectors, values, buckets, self.chunk, **settings)

    def scores(self, rounds):
        return sum(int(self.met(r).sum()) for r in range(rounds))


@dataclass
class Buckets:
    """One such widget on a page: a person's eyes and hands."""

    page: Page
    nth: int = 0

    @property
    def place(self) -> Locator:
        return self.page.locator("[data-widget=LSHBuckets]").nth(self.nth)

    def dot(self, i) -> Locator:
        return self.place.locator(".dot").nth(i)

    def box(self, i) -> Locator:
        return self.place.locator(".box").nth(i)

    def vectors(self):
        texts = self.place.locator(".dot").evaluate_all("(all) => all.map((e) => e.dataset.exact)")
        return torch.tensor([[float(x) for x in text.split(",")] for text in texts])

    def rotation(self):
        """The directions of the round shown, (d_k, half)."""
        texts = self.place.locator(".arrow:not(.opposite)").evaluate_all(
            "(all) => all.map((e) => e.dataset.exact)"
        )
        return torch.tensor([[float(x) for x in text.split(",")] for text in texts]).T

    def buckets(self):
        letters = self.place.locator(".dot span").all_text_contents()
        return ["ABCDEFGH".index(letter) for letter in letters]

    def signs(self):
        return self.place.locator(".box .sign").all_text_contents()

    def centres(self):
        """Where each box is going, as it would be without motion."""
        self.page.wait_for_timeout(600)
        return self.place.locator(".box").evaluate_all(
            "(all) => all.map((e) => e.getBoundingClientRect()).map((b) => [b.x + b.width / 2, b.y + b.height / 2])"
        )

    def order(self):
        """Positions as they stand, line by line."""
        centres = self.centres()
        return sorted(range(len(centres)), key=lambda i: (round(centres[i][1]), centres[i][0]))

    def chunks(self):
        """The positions that stand in each frame."""
        centres = self.centres()
        frames = self.place.locator(".frame").evaluate_all(
            "(all) => all.map((e) => e.getBoundingClientRect()).map((b) => [b.left, b.right, b.top, b.bottom])"
        )
        return [
            [i for i, (x, y) in enumerate(centres) if left < x < right and top < y < bottom]
            for left, right, top, bottom in frames
        ]

    def exact(self, locator):
        """The exact numbers of what is read, after making sure that this is what is read."""
        found = self.place.locator(locator).evaluate_all(
            "(all) => all.map((e) => [e.dataset.exact, e.textContent])"
        )
        for number, text in found:
            assert text == f"{100 * float(number):.1f}\N{NO-BREAK SPACE}%"
        return [float(number) for number, _ in found]

    def table(self):
        """The keys of the chosen token: places, texts, and the two weights of each."""
        details = self.place.locator("details")
        if details.get_attribute("open") is None:
            details.locator("summary").click()
            details.locator("tbody tr").first.wait_for()
        rows = details.locator("tbody tr")
        places = rows.evaluate_all("(all) => all.map((e) => Number(e.dataset.chunk))")
        texts = [row.split("\t") for row in rows.all_inner_texts()]
        weights = self.exact("details td[data-exact]")
        return places, texts, weights[::2], weights[1::2]

    def choose(self, group, name):
        self.place.get_by_role("radiogroup", name=group, exact=True).get_by_role(
            "radio", name=name, exact=True
        ).check()

    def slide(self, name, value):
        self.place.get_by_role("slider", name=name, exact=True).fill(str(value))

    def tick(self, name, on=True):  # noqa: FBT002
        self.place.get_by_role("checkbox", name=name).set_checked(on)

    def press(self, name):
        self.place.get_by_role("button", name=name).click()

    def says(self, part):
        return self.place.locator(part).inner_text()

    def angle(self, i):
        x, y = self.vectors()[i].tolist()
        return math.atan2(y, x)

    def target(self, angle):
        """Where on the screen a direction of the circle lies."""
        space = self.place.locator(".space")
        space.scroll_into_view_if_needed()
        box = space.bounding_box()
        reach = 0.3 * box["width"]
        return (
            box["x"] + box["width"] / 2 + reach * math.cos(angle),
            box["y"] + box["height"] / 2 - reach * math.sin(angle),
        )


@pytest.fixture
def buckets(saved, open_page):
    def open_(widget=None, **options) -> Buckets:
        widget = widget or LSHBuckets(*material())
        return Buckets(open_page(saved(widget), **options))

    return open_


def check(seen, expected, *, shown=0):
    """Compare all that is read of a widget at the last step with the mathematics."""
    assert seen.buckets() == expected.buckets[shown].tolist()
    found = seen.place.locator(".found tbody tr")
    rounds = len(expected.buckets)
    assert found.count() == rounds + 1
    picked = int(
        seen.place.get_by_role("radio", checked=True)
        .filter(has=seen.page.locator(".sign"))
        .locator("b")
        .inner_text()
    )
    shares = seen.exact(".found td [data-exact]")
    for r in range(rounds):
        recall = expected.recall(r + 1)
        assert shares[2 * r : 2 * r + 2] == pytest.approx(
            [float(recall[picked]), float(recall.mean())], abs=CLOSE
        )
        assert int(found.nth(r).inner_text().split()[-1]) == expected.scores(r + 1)
    assert found.nth(rounds).inner_text().split()[-1] == str(expected.length**2)
    assert seen.exact(".status [data-exact]") == pytest.approx(
        [float(expected.recall()[picked])], abs=CLOSE
    )

    places, texts, full, lsh = seen.table()
    assert places == expected.places[shown].tolist()
    assert full == pytest.approx(expected.full()[picked].tolist(), abs=CLOSE)
    assert lsh == pytest.approx(expected.lsh()[picked].tolist(), abs=CLOSE)
    met = [expected.met(r)[picked] for r in range(expected.rounds)]
    keys = expected.seen()[picked]
    for j, sign in enumerate(seen.signs()):
        times = [r + 1 for r, row in enumerate(met) if row[j] and j != picked]
        assert texts[j][2] == (", ".join(map(str, times)) or "–")
        if j == picked:
            assert sign == ("itself" if keys[j] else "asks")
        elif keys[j]:
            assert sign == ("✓" if shown + 1 in times else f"r{','.join(map(str, times))}")
        else:
            assert sign == ("✕" if times else "")
    chunks = [
        torch.nonzero(expected.places[shown] == k).flatten().tolist()
        for k in expected.places[shown].unique()
    ]
    assert seen.chunks() == chunks


SETTINGS = [
    {},
    {"rounds": 4, "chunk": 2, "scale": 8.0},
    {"rounds": 3, "causal": True, "n_buckets": 4, "look_back": False},
    {"rounds": 2, "causal": True, "cut": "bucket", "chunk": 3},
    {"rounds": 2, "cut": "bucket", "n_buckets": 6, "look_back": False, "scale": 3.5},
    {"n_buckets": 2, "chunk": 8},
]


class TestFigures:
    @pytest.mark.parametrize("d_k", [2, 3])
    @pytest.mark.parametrize("settings", SETTINGS, ids=str)
    def test_page(self, buckets, settings, d_k):
        vectors, rotations = material(1, 16, d_k)
        seen = buckets(LSHBuckets(vectors, rotations, stage=4, picked=9, **settings))
        expected = Reference(vectors, rotations[0], **settings)
        check(seen, expected)
        seen.box(0).click()
        shown = expected.rounds - 1
        seen.choose("hash round", str(shown + 1))
        check(seen, expected, shown=shown)

    def test_controls_do_what_they_say(self, buckets):
        vectors, rotations = material(2, 24)
        seen = buckets(LSHBuckets(vectors, rotations, stage=4), width=390)
        seen.choose("buckets", "4")
        seen.choose("rounds", "3")
        seen.choose("cut", "inside each bucket")
        seen.slide("chunk", 5)
        seen.slide("scale", 2.5)
        seen.tick("causal")
        seen.tick("look back", on=False)
        seen.box(17).click()
        settings = {"n_buckets": 4, "rounds": 3, "cut": "bucket", "chunk": 5, "scale": 2.5}
        settings |= {"causal": True, "look_back": False}
        check(seen, Reference(vectors, rotations[0], **settings))

    def test_a_round_that_is_not_used_yet_is_used_when_it_is_shown(self, buckets):
        vectors, rotations = material(3)
        seen = buckets(LSHBuckets(vectors, rotations, stage=4))
        seen.choose("hash round", "3")
        check(seen, Reference(vectors, rotations[0], rounds=3), shown=2)
        seen.choose("rounds", "2")
        check(seen, Reference(vectors, rotations[0], rounds=2), shown=1)

    def test_how_far_a_vector_reaches(self, buckets):
        vectors, rotations = material(4)
        seen = buckets(LSHBuckets(vectors, rotations, n_buckets=6, picked=3))
        along = vectors.double()[3] @ rotations[0][0, :, :3].double()
        chips = seen.place.locator(".reach span")
        exact = chips.evaluate_all("(all) => all.map((e) => Number(e.dataset.exact))")
        assert exact == pytest.approx([*along.tolist(), *(-along).tolist()], abs=CLOSE)
        texts = [text.replace("−", "-") for text in chips.all_inner_texts()]
        assert texts == [f"{'ABCDEF'[b]} {value:.2f}" for b, value in enumerate(exact)]
        most = seen.place.locator(".reach .most").inner_text()
        assert "ABCDEF".index(most[0]) == max(range(6), key=exact.__getitem__) == seen.buckets()[3]

    def test_with_looking_back_switched(self, buckets):
        vectors, rotations = material(5)
        seen = buckets(LSHBuckets(vectors, rotations, stage=4))
        lines = seen.place.locator(".found .rail i").evaluate_all(
            "(all) => all.map((e) => parseFloat(e.style.left))"
        )
        other = Reference(vectors, rotations[0], look_back=False)
        assert lines == pytest.approx(
            [100 * float(other.recall(r).mean()) for r in (1, 2, 3, 4)], abs=1e-3
        )


class TestMathematics:
    """The file that computes, over many random cases in one call."""

    @pytest.fixture
    def ask(self, buckets):
        page = buckets().page

        def ask_(script, argument=None):
            return page.evaluate(
                f"""async ([source, argument]) => {{
                  const m = await import(URL.createObjectURL(new Blob([source], {{type: 'text/javascript'}})));
                  return ({script})(m, argument);
                }}""",
                [HASHING.read_text("utf-8"), argument],
            )

        return ask_

    def test_random_cases(self, ask):
        rng = np.random.default_rng(0)
        cases, expected = [], []
        for seed in range(150):
            length, d_k = int(rng.integers(4, 25)), int(rng.integers(2, 4))
            vectors, rotations = material(seed, length, d_k)
            reference = Reference(
                vectors,
                rotations[0],
                n_buckets=int(rng.choice([2, 4, 6, 8])),
                rounds=int(rng.integers(1, 5)),
                chunk=int(rng.integers(2, min(9, length + 1))),
                causal=bool(rng.integers(2)),
                cut=str(rng.choice(["sorted", "bucket"])),
                look_back=bool(rng.integers(2)),
                scale=float(rng.uniform(0.5, 10)),
            )
            used = reference.rotations[..., : reference.n_buckets // 2]
            cases.append(
                {
                    "vectors": reference.vectors.tolist(),
                    "directions": used.mT.tolist(),
                    "rounds": reference.rounds,
                    "chunk": reference.chunk,
                    "cut": reference.cut,
                    "how": {
                        "causal": reference.causal,
                        "lookBack": reference.look_back,
                        "scale": reference.scale,
                    },
                }
            )
            expected.append(reference)
        found = ask(
            """(m, cases) => cases.map(({vectors, directions, rounds, chunk, cut, how}) => {
              const buckets = directions.map((round) => vectors.map((x) => m.bucketOf(x, round)));
              const places = buckets.map((round) => m.cutChunks(round, chunk, cut));
              const used = places.slice(0, rounds);
              const seen = vectors.map((_, i) => m.keysSeen(used, i, how));
              const full = m.fullWeights(vectors, how);
              return {buckets, places, seen, full, recall: full.map((row, i) => m.recall(row, seen[i])),
                scores: m.scoresComputed(used, how.lookBack), reach: m.reach(vectors[0], directions[0])};
            })""",
            cases,
        )
        for case, reference, answer in zip(cases, expected, found, strict=True):
            assert answer["buckets"] == reference.buckets.tolist()
            assert answer["places"] == reference.places.tolist()
            assert answer["seen"] == reference.seen().int().tolist()
            assert answer["scores"] == reference.scores(reference.rounds)
            np.testing.assert_allclose(answer["full"], reference.full(), atol=CLOSE)
            np.testing.assert_allclose(answer["recall"], reference.recall(), atol=CLOSE)
            along = torch.tensor(case["directions"][0]).double() @ reference.vectors[0]
            np.testing.assert_allclose(answer["reach"], [*along, *-along], atol=1e-5)

    def test_sectors_are_where_the_hash_gives_one_bucket(self, ask):
        for seed in range(30):
            rotation = material(seed)[1][0][0, :, : 1 + seed % 4]
            sectors = ask("(m, directions) => m.sectors(directions)", rotation.T.tolist())
            assert sum(s["to"] - s["from"] for s in sectors) == pytest.approx(2 * math.pi)
            for sector in sectors:
                inside = torch.linspace(sector["from"] + 1e-4, sector["to"] - 1e-4, 50)
                points = torch.stack([inside.cos(), inside.sin()], dim=-1)
                assert set(angular_hash(points, (rotation[None],))[0].tolist()) == {
                    sector["bucket"]
                }
            numbers = [s["bucket"] for s in sectors]
            assert len(numbers) == len(set(numbers))

    def test_a_vector_over_the_border(self, ask):
        for seed in range(30):
            vectors, rotations = material(seed, 4, 2 + seed % 2)
            if seed < 2:
                vectors[0] = torch.tensor([0.0, 0.0, 1.0][1 - seed :])
            used = rotations[0][:1, :, : 1 + seed % 4]
            answer = ask(
                "(m, [x, directions]) => m.overBorder(x, directions)",
                [vectors[0].tolist(), used[0].T.tolist()],
            )
            goal = torch.tensor(answer)
            assert goal.norm() == pytest.approx(1, abs=1e-6)
            before, after = angular_hash(torch.stack([vectors[0], goal]), (used,))[0]
            assert before != after

    def test_what_hangs_on_later_tokens(self, ask):
        for seed in range(12):
            vectors, rotations = material(seed, 8)
            n_buckets = (2, 4)[seed % 2]
            cut = "sorted" if seed % 3 else "bucket"
            reference = Reference(vectors, rotations[0], n_buckets, 2, 3, causal=True, cut=cut)
            own = reference.buckets[:2]
            argument = [
                own.tolist(),
                n_buckets,
                {"chunk": 3, "cut": cut, "causal": True, "lookBack": True},
            ]
            found = ask(
                "(m, [b, n, how]) => b[0].map((_, i) => m.hangsOnLater(b, i, n, how))", argument
            )
            changed = [False] * 8
            before = reference.seen()
            for r in range(2):
                for j in range(8):
                    for bucket in range(n_buckets):
                        moved = own.clone()
                        moved[r, j] = bucket
                        reference.places = torch.stack([CUTS[cut](row, 3) for row in moved])
                        for i in range(j):
                            changed[i] |= not torch.equal(reference.seen()[i], before[i])
            assert found == changed
            if cut == "bucket":
                assert not any(found)

    def test_random_numbers_are_standard_normal_and_repeat(self, ask):
        script = "(m, seed) => Array.from(m.normals(seed, 20000))"
        first, again, other = ask(script, 1), ask(script, 1), ask(script, 2)
        assert first == again
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.03
        assert abs(np.mean(first)) < 0.03
        assert np.std(first) == pytest.approx(1, abs=0.03)
        assert np.mean(np.abs(first) < 1) == pytest.approx(0.6827, abs=0.015)


class TestSteps:
    def test_each_step_shows_what_it_says(self, buckets):
        vectors, rotations = material(6)
        seen = buckets(LSHBuckets(vectors, rotations, n_buckets=4))
        own = angular_hash(vectors, (rotations[0][..., :2],))[0].tolist()
        in_order = sorted(range(16), key=lambda i: (own[i], i))
        letters = ["ABCD"[bucket] for bucket in own]
        shown = seen.place.locator(".box > :nth-child(4)")
        for step, order in [("1 text", range(16)), ("2 hash", range(16)), ("3 sort", in_order)]:
            seen.choose("step", step)
            assert seen.order() == list(order)
            assert shown.all_text_contents() == (letters if step != "1 text" else [""] * 16)
            assert seen.place.locator(".frame").count() == 0
        seen.choose("step", "4 cut")
        assert seen.order() == in_order
        assert seen.chunks() == [sorted(in_order[k : k + 4]) for k in range(0, 16, 4)]
        assert set(seen.signs()) == {""}
        seen.choose("step", "5 look")
        assert "asks" in seen.signs()
        own_chunk = seen.place.locator(".frame.own")
        assert own_chunk.count() == 1

    def test_nothing_below_moves_from_step_to_step(self, buckets):
        seen = buckets(width=390)
        tops = set()
        for step in ["1 text", "2 hash", "3 sort", "4 cut", "5 look"]:
            seen.choose("step", step)
            tops.add(seen.place.locator(".sequence").bounding_box()["height"])
        assert len(tops) == 1

    def test_play_runs_to_the_end_and_stops(self, buckets):
        seen = buckets(LSHBuckets(*material(), stage=3))
        seen.press("play")
        expect(seen.place.get_by_role("button", name="pause")).to_be_visible()
        expect(seen.place.get_by_role("radio", name="5 look")).to_be_checked()
        expect(seen.place.get_by_role("button", name="play")).to_be_visible()
        seen.press("play")
        expect(seen.place.get_by_role("radio", name="1 text")).to_be_checked()
        seen.press("pause")
        seen.page.wait_for_timeout(1700)
        expect(seen.place.get_by_role("radio", name="1 text")).to_be_checked()

    def test_scrubbing_by_keyboard_stops_the_play(self, buckets):
        seen = buckets()
        seen.press("play")
        seen.place.get_by_role("radio", name="1 text").focus()
        for _ in range(3):
            seen.page.keyboard.press("ArrowRight")
        expect(seen.place.get_by_role("button", name="play")).to_be_visible()
        expect(seen.place.get_by_role("radio", name="4 cut")).to_be_checked()

    def test_boxes_move_from_step_to_step_unless_less_motion_is_asked_for(self, buckets):
        seen = buckets()
        moves = "(e) => parseFloat(getComputedStyle(e).transitionDuration)"
        assert seen.box(0).evaluate(moves) == 0
        seen.place.get_by_role("radio", name="3 sort").check()
        expect(seen.box(0).locator("..").locator("..")).to_have_class(re.compile("moving"))
        assert 0 < seen.box(0).evaluate(moves) < 0.6
        seen.page.emulate_media(reduced_motion="reduce")
        assert seen.box(0).evaluate(moves) == seen.dot(0).evaluate(moves) == 0
        seen.press("play")
        expect(seen.place.get_by_role("radio", name="5 look")).to_be_checked()


class TestHands:
    def drag_check(self, seen, i, angle, rotations):
        assert math.remainder(seen.angle(i) - angle, 2 * math.pi) == pytest.approx(0, abs=0.02)
        now = Reference(seen.vectors(), rotations[0])
        check(seen, now)

    def test_mouse(self, buckets):
        vectors, rotations = material(7)
        seen = buckets(LSHBuckets(vectors, rotations, stage=4, picked=2))
        for i, angle in [(2, 2.0), (2, -1.0), (11, 0.5)]:
            seen.box(i).click()
            seen.dot(i).hover()
            seen.page.mouse.down()
            seen.page.mouse.move(*seen.target(angle), steps=5)
            seen.page.mouse.up()
            self.drag_check(seen, i, angle, rotations)
        np.testing.assert_allclose(seen.vectors().norm(dim=-1), vectors.norm(dim=-1), rtol=1e-6)
        untouched = [i for i in range(16) if i not in {2, 11}]
        assert torch.equal(seen.vectors()[untouched], vectors[untouched])
        seen.page.mouse.move(*seen.target(3))
        assert seen.angle(11) == pytest.approx(0.5, abs=0.02)  # let go

    def test_touch(self, buckets):
        vectors, rotations = material(8)
        seen = buckets(LSHBuckets(vectors, rotations, stage=4), touch=True, width=390)
        seen.box(5).tap()
        seen.target(0)  # scrolls there
        box = seen.dot(5).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        goal = seen.target(-2.2)
        session = seen.page.context.new_cdp_session(seen.page)
        for kind, t in [("touchStart", 0), *(("touchMove", k / 10) for k in range(1, 11))]:
            point = {"x": x + t * (goal[0] - x), "y": y + t * (goal[1] - y)}
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        self.drag_check(seen, 5, -2.2, rotations)

    def test_keyboard(self, buckets):
        vectors, rotations = material(9)
        seen = buckets(LSHBuckets(vectors, rotations, stage=4, picked=4))
        before = seen.angle(4)
        seen.dot(4).focus()
        for key in ["ArrowUp", "ArrowUp", "ArrowLeft", "ArrowRight", "ArrowUp"]:
            seen.page.keyboard.press(key)
        expect(seen.dot(4)).to_be_focused()
        self.drag_check(seen, 4, before + 3 * math.pi / 36, rotations)
        said = seen.dot(4).get_attribute("aria-valuetext")
        degrees = round(math.degrees(seen.angle(4))) % 360
        assert said == f"{degrees} degrees, bucket {'ABCDEFGH'[seen.buckets()[4]]}"
        seen.box(4).focus()
        seen.page.keyboard.press("ArrowRight")
        expect(seen.box(5)).to_have_attribute("aria-checked", "true")
        assert seen.dot(5).get_attribute("tabindex") == "0"
        assert seen.dot(4).get_attribute("tabindex") == "-1"

    def test_the_sphere(self, buckets):
        vectors, rotations = material(10, d_k=3)
        seen = buckets(LSHBuckets(vectors, rotations, stage=4, view=[0.0, 0.0]))
        near = next(i for i in range(16) if vectors[i, 2] > 0.3 * vectors[i].norm())
        far = next(i for i in range(16) if vectors[i, 2] < -0.3 * vectors[i].norm())
        expect(seen.dot(far)).to_have_class(re.compile("far"))
        space = seen.place.locator(".space").bounding_box()
        radius = 142 / 336 * space["width"]
        for i, side in [(near, 1), (far, -1)]:
            seen.dot(i).focus()
            box = seen.dot(i).bounding_box()
            seen.page.mouse.move(box["x"] + 14, box["y"] + 14)
            seen.page.mouse.down()
            middle = space["x"] + space["width"] / 2, space["y"] + space["height"] / 2
            seen.page.mouse.move(middle[0] + 0.6 * radius, middle[1] - 0.3 * radius, steps=4)
            seen.page.mouse.up()
            moved = unit(seen.vectors()[i])
            depth = side * math.sqrt(1 - 0.36 - 0.09)
            assert moved.tolist() == pytest.approx([0.6, 0.3, depth], abs=0.02)
        check(seen, Reference(seen.vectors(), rotations[0]))
        seen.dot(near).focus()
        seen.page.keyboard.press("ArrowRight")
        x, _, z = unit(seen.vectors()[near]).tolist()
        assert math.atan2(x, z) == pytest.approx(
            math.atan2(0.6, depth * -1) + math.pi / 36, abs=0.03
        )

    def test_turning_the_sphere_moves_no_vector(self, buckets):
        vectors, rotations = material(11, d_k=3)
        seen = buckets(LSHBuckets(vectors, rotations, view=[0.0, 0.0]))
        globe = seen.place.get_by_role("slider", name="Turn the sphere")
        box = globe.bounding_box()
        places = seen.place.locator(".dot").evaluate_all("(all) => all.map((e) => e.style.left)")
        # A spot of the background, away from every dot.
        spot = seen.page.evaluate(
            """([x, y, size]) => {
              const root = document.querySelector('.companion-widget > div').shadowRoot;
              for (let k = 0; k < 400; k++) {
                const at = [x + size * (0.3 + 0.4 * ((k * 7) % 20) / 20), y + size * (0.3 + 0.4 * k / 400)];
                if (root.elementFromPoint(...at)?.className === 'globe') return at;
              }
            }""",
            [box["x"], box["y"], box["width"]],
        )
        seen.page.mouse.move(*spot)
        seen.page.mouse.down()
        seen.page.mouse.move(spot[0] + 60, spot[1], steps=3)
        seen.page.mouse.up()
        turned = seen.place.locator(".dot").evaluate_all("(all) => all.map((e) => e.style.left)")
        assert turned != places
        globe.focus()
        seen.page.keyboard.press("ArrowUp")
        seen.page.keyboard.press("ArrowRight")
        again = seen.place.locator(".dot").evaluate_all("(all) => all.map((e) => e.style.left)")
        assert again != turned
        assert torch.equal(seen.vectors(), vectors)

    @pytest.mark.parametrize("d_k", [2, 3])
    def test_roll(self, buckets, d_k):
        vectors, rotations = material(12, d_k=d_k, rounds=2)
        seen = buckets(LSHBuckets(vectors, rotations, n_buckets=6))
        expect(seen.place.get_by_role("button", name="The first again")).to_be_disabled()
        rolled = []
        for _ in range(2):
            seen.press("Roll new rotations")
            rolled.append(seen.rotation())
            assert seen.buckets() == angular_hash(vectors, (rolled[-1][None],))[0].tolist()
            seen.choose("hash round", "2")
            assert not torch.equal(seen.rotation(), rolled[-1])
            seen.choose("hash round", "1")
        assert not torch.equal(*rolled)
        seen.press("The first again")
        assert torch.equal(seen.rotation(), rotations[0][0][:, :3])
        seen.press("Roll new rotations")
        assert torch.equal(seen.rotation(), rolled[0])


class TestLeak:
    def test_equal_chunks_leak(self, buckets):
        vectors, rotations = material(18)
        seen = buckets(LSHBuckets(vectors, rotations, causal=True, stage=4, n_buckets=4))
        before = Reference(vectors, rotations[0], n_buckets=4, causal=True)
        seen.press("Nudge the last token")
        after = Reference(seen.vectors(), rotations[0], n_buckets=4, causal=True)
        assert before.buckets[0, 15] != after.buckets[0, 15]
        assert before.buckets[0, :15].tolist() == after.buckets[0, :15].tolist()
        changed = [i for i in range(15) if not torch.equal(before.seen()[i], after.seen()[i])]
        assert changed  # else the example shows nothing
        assert f"({', '.join(map(str, changed))})" in seen.says(".leak p")
        assert [i for i, sign in enumerate(seen.signs()) if sign == "≠"] == changed
        seen.tick("look back", on=False)
        assert "≠" not in seen.signs()

    def test_cutting_inside_each_bucket_does_not(self, buckets):
        for seed in (13, 14):
            vectors, rotations = material(seed)
            seen = buckets(LSHBuckets(vectors, rotations, causal=True, cut="bucket", rounds=2))
            assert "nothing that comes later can change" in seen.says(".leak p")
            for _ in range(6):
                seen.press("Nudge the last token")
                assert "no earlier token sees other keys" in seen.says(".leak p")
                assert "≠" not in seen.signs()
            assert not torch.equal(seen.vectors()[15], vectors[15])
            assert torch.equal(seen.vectors()[:15], vectors[:15])

    def test_what_a_later_token_could_do(self, buckets):
        vectors, rotations = material(18)
        widget = LSHBuckets(vectors, rotations, causal=True, n_buckets=4, picked=15)
        seen = buckets(widget)
        assert "stay, wherever one later token falls" in seen.says(".leak p")  # none is later
        seen.box(14).click()
        assert "a leak" in seen.says(".leak p")
        seen.tick("causal", on=False)
        assert "Causal is off" in seen.says(".leak p")
        expect(seen.place.get_by_role("button", name="Nudge")).to_be_disabled()


class TestPage:
    def test_labels_are_text(self, buckets):
        words = ["<b>wide</b>", *WORDS[1:]]
        seen = buckets(LSHBuckets(*material(), labels=words, stage=4))
        assert seen.place.locator(".box .word").all_text_contents() == words
        assert seen.says(".status").startswith("“<b>wide</b>” (0) looks at")

    def test_two_widgets_are_independent(self, saved, open_page):
        page = open_page(saved(LSHBuckets(*material()), LSHBuckets(*material(1))))
        first, second = Buckets(page), Buckets(page, 1)
        first.choose("buckets", "2")
        first.choose("step", "3 sort")
        expect(second.place.get_by_role("radio", name="1 text")).to_be_checked()
        assert len(set(second.buckets())) > 2

    def test_still_picture_without_javascript(self, saved, open_page):
        widget = LSHBuckets(*material())
        page = open_page(saved(widget), scripts=False)
        expect(page.get_by_role("img")).to_be_visible()
        expect(page.get_by_text(widget.describe())).to_be_visible()

    @pytest.mark.parametrize("width", [1280, 390])
    @pytest.mark.parametrize(
        ("length", "d_k", "labels"), [(16, 2, None), (16, 3, WORDS), (24, 2, None)]
    )
    def test_needs_no_more_room_than_was_kept_free(self, buckets, width, length, d_k, labels):
        vectors, rotations = material(0, length, d_k)
        seen = buckets(LSHBuckets(vectors, rotations, labels=labels, n_buckets=4), width=width)
        kept = float(seen.place.evaluate("(e) => parseFloat(getComputedStyle(e).minHeight)"))
        needed = seen.place.locator(".widget").bounding_box()["height"]
        assert needed <= kept
        # On a wide page the book's column is narrower than this page's.
        assert kept - needed < (100 if width == 390 else 260)
        assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= width

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_accessible(self, buckets, scheme, width):
        vectors, rotations = material(16, d_k=2 if width == 390 else 3)
        widget = LSHBuckets(vectors, rotations, stage=4, causal=True, rounds=2, labels=WORDS)
        seen = buckets(widget, scheme=scheme, width=width)
        seen.table()
        assert violations(seen.page) == []
        seen.press("Nudge the last token")
        seen.choose("step", "1 text")
        assert violations(seen.page) == []
