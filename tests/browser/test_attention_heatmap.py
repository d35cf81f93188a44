"""The heat map, driven as a person drives it; what is read equals what Python computes."""

import itertools
import math

import numpy as np
import pytest
import torch
from axe import violations
from playwright.sync_api import expect
from reading import Heatmap, numbers

from companion.attention import attention_scores, attention_weights, causal_mask
from companion.widgets import AttentionHeatmap

TOKENS = ["we", "book", "a", "table", "for", "two", "[PAD]"]
N, D_K = len(TOKENS), 16
PADDING = [False] * (N - 1) + [True]
_GENERATOR = torch.Generator().manual_seed(7)
QUERY, KEY = (2 * torch.randn(2, 3, N, D_K, generator=_GENERATOR) for _ in range(2))


def close(value: float):
    """Equal to three decimals: half of the last one, and what single precision may move."""
    return pytest.approx(value, abs=5.2e-4)


def _widget(**state) -> AttentionHeatmap:
    return AttentionHeatmap(TOKENS, query=QUERY, key=KEY, padding=PADDING, **state)


def _weights(layer=0, head=0, *, causal=False, padded=True) -> torch.Tensor:
    mask = torch.ones(N, N, dtype=torch.bool)
    if causal:
        mask &= causal_mask(N)
    if padded:
        mask &= ~torch.tensor(PADDING)
    return attention_weights(attention_scores(QUERY[layer, head], KEY[layer, head]), mask)


@pytest.fixture
def heatmap(saved, open_page):
    """Open a page with a widget over all layers and heads."""

    def open_(widget=None, *, nth=0, **options) -> Heatmap:
        widget = widget or _widget()
        page = open_page(saved(widget), **options)
        return Heatmap(page, len(widget.target_tokens), len(widget.tokens), nth)

    return open_


def _expect_row(shown: str, row: int, weights) -> None:
    """The row's line names the query and its three strongest keys, with their weights."""
    strongest = sorted(range(len(weights)), key=lambda j: -weights[j])[:3]
    line = f"{TOKENS[row]} looks at " + " · ".join(
        f"{TOKENS[j]} {weights[j]:.3f}" for j in strongest
    )
    assert shown == line or numbers(shown) == [close(float(weights[j])) for j in strongest]


def _expect_cell(line: str, row: int, column: int, weight: float) -> None:
    product = float(QUERY[0, 0, row] @ KEY[0, 0, column])
    assert line.startswith(f"{TOKENS[row]} → {TOKENS[column]}: q·k = ")
    assert "÷ √16 = " in line
    shown = numbers(line)
    assert shown[:2] == [pytest.approx(product, abs=2e-3), close(product / math.sqrt(D_K))]
    assert shown[-1] == close(weight)


class TestReading:
    def test_pointing_at_each_cell_reads_what_python_computes(self, heatmap):
        widget = _widget()
        weights = _weights()
        np.testing.assert_allclose(widget.current_weights(), weights, atol=1e-6)
        seen = heatmap(widget)
        for row, column in itertools.product(range(N), range(N)):
            seen.point(row, column)
            row_line, cell_line, sum_line = seen.lines
            _expect_row(row_line, row, weights[row])
            _expect_cell(cell_line, row, column, float(weights[row, column]))
            assert ("padding mask: −∞" in cell_line) == PADDING[column]
            assert sum_line == "the row sums to 1.000"

    def test_leaving_returns_to_the_picked_cell(self, heatmap):
        seen = heatmap()
        first = seen.lines
        seen.point(3, 2)
        assert seen.lines != first
        seen.leave()
        assert seen.lines == first

    def test_click_picks_a_cell_and_stays(self, heatmap):
        seen = heatmap()
        seen.click(3, 2)
        picked = seen.lines
        _expect_cell(picked[1], 3, 2, float(_weights()[3, 2]))
        seen.point(5, 1)
        _expect_cell(seen.lines[1], 5, 1, float(_weights()[5, 1]))
        seen.leave()
        assert seen.lines == picked
        assert seen.chosen_query == TOKENS[3]

    def test_pointing_at_a_query_reads_its_row_alone(self, heatmap):
        seen = heatmap()
        seen.place.get_by_role("option", name="table").hover()
        _expect_row(seen.lines[0], 3, _weights()[3])
        assert seen.lines[1].startswith("Point at a cell")

    def test_tap(self, heatmap):
        seen = heatmap(touch=True, width=390)
        for row, column in [(0, 0), (4, 6), (6, 3)]:
            seen.tap(row, column)
            _expect_row(seen.lines[0], row, _weights()[row])
            _expect_cell(seen.lines[1], row, column, float(_weights()[row, column]))
        seen.place.get_by_role("option", name="book").tap()
        _expect_row(seen.lines[0], 1, _weights()[1])

    def test_keyboard(self, heatmap):
        seen = heatmap()
        weights = _weights()
        seen.queries.focus()
        row, column = 0, -1
        for key, row, column in [
            ("ArrowDown", 1, -1),
            ("ArrowRight", 1, 0),
            ("ArrowRight", 1, 1),
            ("ArrowDown", 2, 1),
            ("End", 6, 1),
            ("ArrowDown", 6, 1),
            ("ArrowUp", 5, 1),
            ("ArrowLeft", 5, 0),
            ("ArrowLeft", 5, 0),
            ("Home", 0, 0),
            ("ArrowUp", 0, 0),
            *(("ArrowRight", 0, min(j, N - 1)) for j in range(1, N + 2)),
        ]:
            seen.page.keyboard.press(key)
            assert seen.chosen_query == TOKENS[row]
            _expect_row(seen.lines[0], row, weights[row])
            if column >= 0:
                _expect_cell(seen.lines[1], row, column, float(weights[row, column]))

    def test_keys_go_on_from_the_picked_cell_wherever_the_mouse_lies(self, heatmap):
        seen = heatmap()
        seen.click(1, 1)
        seen.point(5, 5)
        seen.press("ArrowDown")
        assert seen.chosen_query == TOKENS[2]

    def test_table_holds_the_whole_row(self, heatmap):
        seen = heatmap()
        for row in (0, 5):
            seen.click(row, 0)
            seen.leave()
            table = seen.table()
            assert list(table) == TOKENS
            assert list(table.values()) == [close(x) for x in _weights()[row].tolist()]
            expect(seen.place.get_by_text(f"What “{TOKENS[row]}” looks at")).to_be_visible()

    def test_readout_is_announced(self, heatmap):
        assert heatmap().place.get_by_role("status").count() == 1


class TestSteps:
    def test_every_combination_of_steps(self, heatmap):
        seen = heatmap(_widget(causal=True))
        seen.click(2, 0)
        row = 2
        names = ["÷ √16", "causal mask", "padding mask", "softmax"]
        for states in itertools.product([True, False], repeat=4):
            for name, state in zip(names, states, strict=True):
                seen.chip(name).set_checked(state)
            scaled, causal, padded, softmax = states
            scores = (QUERY[0, 0] @ KEY[0, 0].T) / (math.sqrt(D_K) if scaled else 1)
            allowed = torch.ones(N, N, dtype=torch.bool)
            if causal:
                allowed &= causal_mask(N)
            if padded:
                allowed &= ~torch.tensor(PADDING)
            if softmax:
                expected = attention_weights(scores, allowed)[row].tolist()
            else:
                expected = scores.masked_fill(~allowed, -math.inf)[row].tolist()
            shown = list(seen.table().values())
            assert shown == [x if x == -math.inf else pytest.approx(x, abs=2e-3) for x in expected]
            widget = _widget(causal=causal, scaled=scaled)
            widget.padded = padded
            if softmax:
                assert shown == [close(x) for x in widget.current_weights()[row].tolist()]
                assert seen.lines[2] == "the row sums to 1.000"
            else:
                assert seen.lines[2] == "these are scores, not yet weights"
            chain = seen.lines[1]
            assert ("÷ √16 =" in chain, "softmax:" in chain) == (scaled, softmax)

    def test_masks_are_named_on_the_cells_they_hide(self, heatmap):
        seen = heatmap(_widget(causal=True))
        seen.click(2, 4)
        assert "causal mask: −∞" in seen.lines[1]
        seen.click(2, 6)
        assert "causal mask: −∞, padding mask: −∞, softmax: 0.000" in seen.lines[1]
        seen.click(4, 2)
        assert "mask" not in seen.lines[1]

    def test_space_bar_switches_a_step(self, heatmap):
        seen = heatmap()
        seen.chip("softmax").focus()
        seen.page.keyboard.press("Space")
        assert "scores, not yet weights" in seen.lines[2]
        expect(seen.slider).to_be_disabled()

    def test_temperature_by_keyboard(self, heatmap):
        seen = heatmap()
        seen.click(1, 0)
        seen.slider.focus()
        for presses, key in [(10, "ArrowRight"), (25, "ArrowLeft")]:
            for _ in range(presses):
                seen.page.keyboard.press(key)
            temperature = 2.0 ** (1.0 if key == "ArrowRight" else -1.5)
            expect(
                seen.place.get_by_text(f"temperature {temperature:.3f}", exact=True)
            ).to_be_visible()
            scores = attention_scores(QUERY[0, 0], KEY[0, 0]) / temperature
            expected = attention_weights(scores, ~torch.tensor(PADDING)[None])[1].tolist()
            shown = seen.table().values()
            assert list(shown) == [close(x) for x in expected]
            again = _widget(temperature=temperature).current_weights()[1].tolist()
            assert list(shown) == [close(x) for x in again]
            seen.slider.focus()

    def test_temperature_is_a_step_of_its_own(self, heatmap):
        seen = heatmap(_widget(temperature=8.0))
        seen.click(1, 2)
        score = float(QUERY[0, 0, 1] @ KEY[0, 0, 2])
        weight = float(_widget(temperature=8.0).current_weights()[1, 2])
        assert "÷ temperature 8.000 = " in seen.lines[1]
        expected = [score, score / math.sqrt(D_K), 8, score / math.sqrt(D_K) / 8, weight]
        assert numbers(seen.lines[1]) == [close(x) for x in expected]
        seen.click(1, 6)
        assert "temperature" not in seen.lines[1]  # a masked score stays −∞
        seen.chip("softmax").uncheck()
        seen.click(1, 2)
        assert numbers(seen.lines[1]) == [close(x) for x in expected[:2]]

    def test_reset_brings_back_the_first_state(self, heatmap):
        seen = heatmap(_widget(causal=True, temperature=2.0, row=4, column=1))
        first = seen.lines
        for name in ["÷ √16", "causal mask", "padding mask"]:
            seen.chip(name).click()
        seen.slider.press("Home")
        assert seen.lines != first
        seen.chip("softmax").click()
        seen.place.get_by_role("button", name="reset").click()
        assert seen.lines == first
        assert all(
            seen.chip(c).is_checked() for c in ["÷ √16", "causal mask", "padding mask", "softmax"]
        )
        expect(seen.place.get_by_text("temperature 2.000", exact=True)).to_be_visible()


class TestHeads:
    def test_click_on_thumbnails(self, heatmap):
        seen = heatmap()
        seen.click(1, 2)
        for layer, head in itertools.product(range(2), range(3)):
            seen.thumb(layer + 1, head + 1).click()
            assert seen.chosen_head == f"layer {layer + 1}, head {head + 1}"
            weights = _weights(layer, head)
            _expect_row(seen.lines[0], 1, weights[1])
            assert numbers(seen.lines[1])[-1] == close(float(weights[1, 2]))
            widget = _widget(layer=layer, head=head)
            np.testing.assert_allclose(widget.current_weights(), weights, atol=1e-6)

    def test_arrow_keys_walk_the_radio_group(self, heatmap):
        seen = heatmap()
        seen.thumb(1, 1).focus()
        for key, place in [
            ("ArrowRight", "layer 1, head 2"),
            ("ArrowDown", "layer 2, head 2"),
            ("ArrowDown", "layer 1, head 2"),
            ("ArrowLeft", "layer 1, head 1"),
            ("ArrowLeft", "layer 1, head 3"),
            ("ArrowUp", "layer 2, head 3"),
        ]:
            seen.page.keyboard.press(key)
            assert seen.chosen_head == place
            focused = seen.place.get_by_role("radio", name=place)
            expect(focused).to_be_focused()
            expect(focused).to_have_attribute("tabindex", "0")
        _expect_row(seen.lines[0], 0, _weights(1, 2)[0])
        seen.page.keyboard.press("Tab")  # the group is one stop of the Tab key
        expect(seen.chip("÷ √16")).to_be_focused()

    def test_a_single_head_has_no_thumbnails(self, heatmap):
        seen = heatmap(AttentionHeatmap(["a", "b"], [[0.25, 0.75], [1, 0]]))
        assert seen.place.get_by_role("radio").count() == 0


class TestInputs:
    def test_fully_masked_row_says_so(self, heatmap):
        seen = heatmap(
            AttentionHeatmap(
                ["[PAD]", "a"],
                query=[[1.0], [2]],
                key=[[1.0], [1]],
                causal=True,
                padding=[True, False],
            )
        )
        assert seen.lines[0] == (
            "[PAD] may look at nothing: every key is masked, so its weights are all zero."
        )
        assert seen.lines[2] == "the row sums to 0.000"
        seen.chip("softmax").uncheck()
        assert "may look at nothing" in seen.lines[0]
        seen.press("ArrowDown")
        assert seen.lines[0] == "a scores a 2.000"

    def test_cross_attention(self, heatmap):
        source, target = ["ein", "Tisch", "bitte", "!"], ["a", "table"]
        query, key = QUERY[:, :, :2], KEY[:, :, :4]
        seen = heatmap(AttentionHeatmap(source, query=query, key=key, target_tokens=target))
        expect(seen.chip("softmax")).to_be_visible()
        assert seen.chip("causal mask").count() == 0
        assert seen.chip("padding mask").count() == 0
        weights = attention_weights(attention_scores(query[0, 0], key[0, 0]))
        for row, column in itertools.product(range(2), range(4)):
            seen.point(row, column)
            assert seen.lines[1].startswith(f"{target[row]} → {source[column]}: ")
            assert numbers(seen.lines[1])[-1] == close(float(weights[row, column]))
        seen.click(1, 0)
        assert list(seen.table()) == source

    def test_weights_alone_have_no_steps(self, heatmap):
        weights = _weights()[None, None]
        seen = heatmap(AttentionHeatmap(TOKENS, weights))
        assert seen.place.get_by_role("checkbox").count() == 0
        expect(seen.slider).to_be_visible()
        for row, column in [(0, 0), (4, 2)]:
            seen.point(row, column)
            weight = weights[0, 0, row, column]
            assert seen.lines[1] == f"{TOKENS[row]} → {TOKENS[column]}: weight {weight:.3f}"
            _expect_row(seen.lines[0], row, weights[0, 0, row])

    def test_temperature_of_given_weights(self, heatmap):
        seen = heatmap(AttentionHeatmap(["a", "b"], [[0.2, 0.8], [0, 1]]))
        seen.slider.focus()
        for _ in range(10):
            seen.page.keyboard.press("ArrowLeft")
        powers = np.array([0.2, 0.8]) ** 2
        assert list(seen.table().values()) == [close(x) for x in powers / powers.sum()]

    @pytest.mark.parametrize("width", [1280, 390])
    def test_any_token_is_shown_as_text(self, heatmap, width):
        tokens = [
            "<script>document.title = 'broken'</script>",
            "<img src=x onerror=alert(1)>",
            "&amp;",
            "👩‍👩‍👧‍👦",
            "שלום",
            "مرحبا",
            "x" * 300,
            "",
            " ",
            "</script><!--",
        ]
        n = len(tokens)
        seen = heatmap(AttentionHeatmap(tokens, np.full((n, n), 1 / n)), width=width)
        for row, token in enumerate(tokens):
            seen.click(row, row)
            assert (
                seen.place.locator(".row-line").evaluate("(e) => e.firstChild.textContent") == token
            )
            assert seen.chosen_query == token
            text = seen.place.locator(".cell-line").text_content()
            assert text == f"{token} → {token}: weight 0.100"
        assert seen.page.title() == "AttentionHeatmap"
        assert seen.place.locator("script:not([type]), img").count() == 0
        assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= width

    def test_one_token(self, heatmap):
        seen = heatmap(AttentionHeatmap(["alone"], [[1.0]]))
        seen.press("ArrowDown", "ArrowRight", "End")
        assert seen.lines[1] == "alone → alone: weight 1.000"

    def test_128_tokens_12_heads_6_layers(self, heatmap):
        n = 128
        scores = 3 * torch.randn(6, 12, n, n, generator=torch.Generator().manual_seed(1))
        weights = scores.softmax(-1)
        tokens = [f"t{i}" for i in range(n)]
        seen = heatmap(AttentionHeatmap(tokens, weights))
        for row, column in [(0, 0), (77, 127), (127, 64)]:
            seen.point(row, column)
            assert seen.lines[1].startswith(f"t{row} → t{column}: weight ")
            assert numbers(seen.lines[1])[-1] == pytest.approx(
                float(weights[0, 0, row, column]), abs=1e-3
            )
        seen.thumb(5, 11).click()
        seen.point(90, 3)
        assert numbers(seen.lines[1])[-1] == pytest.approx(float(weights[4, 10, 90, 3]), abs=1e-3)
        assert seen.lines[2] == "the row sums to 1.000"


class TestPicture:
    def test_the_largest_weight_is_the_darkest_cell(self, heatmap):
        for scheme, darkest in [("light", np.argmin), ("dark", np.argmax)]:
            seen = heatmap(scheme=scheme)
            light = np.array(seen.pixels())
            assert light.shape == (N, N)
            assert darkest(light) == int(_weights().argmax())
            hidden = _weights().numpy() == 0
            assert len(set(light[hidden])) == 1

    @pytest.mark.parametrize("softmax", [False, True])
    def test_a_masked_cell_does_not_look_like_zero(self, heatmap, softmax):
        seen = heatmap(_widget(causal=True, softmax=softmax))
        light = np.array(seen.pixels())
        masked = ~causal_mask(N).numpy() | np.array(PADDING)
        assert len(set(light[masked])) == 1
        assert light[masked][0] not in light[~masked]
        expect(seen.place.locator(".legend")).to_contain_text("masked")
        seen.chip("causal mask").uncheck()
        seen.chip("padding mask").uncheck()
        expect(seen.place.locator(".legend")).not_to_contain_text("masked")

    def test_shades_follow_the_weights(self, heatmap):
        seen = np.array(PADDING)[None].repeat(N, 0).ravel() == 0
        light = np.array(heatmap().pixels()).ravel()[seen]
        weights = _weights().ravel().numpy()[seen]
        order = np.argsort(weights)
        assert (np.diff(light[order]) <= 0).all()

    @pytest.mark.parametrize("width", [1280, 390])
    def test_each_thumbnail_shows_its_own_head(self, heatmap, width):
        n = 12  # each head looks at one key alone: a dark column
        weights = np.zeros((2, 6, n, n))
        for layer, head in itertools.product(range(2), range(6)):
            weights[layer, head, :, 6 * layer + head] = 1
        seen = heatmap(AttentionHeatmap([f"t{i}" for i in range(n)], weights), width=width)
        seen.page.wait_for_timeout(200)
        for layer, head in itertools.product(range(2), range(6)):
            light = np.array(seen.thumb_pixels(layer + 1, head + 1))
            dark = np.flatnonzero(light[light.shape[0] // 2] < 300)
            assert int((dark.mean() + 1) / (len(light) + 2) * n) == 6 * layer + head

    def test_thumbnails_follow_the_steps_and_the_theme(self, heatmap):
        seen = heatmap()
        seen.page.wait_for_timeout(200)
        looks = [seen.thumb_pixels(2, 3)]
        seen.chip("softmax").uncheck()
        seen.page.wait_for_timeout(200)
        looks.append(seen.thumb_pixels(2, 3))
        seen.page.evaluate("document.documentElement.dataset.theme = 'dark'")
        seen.page.wait_for_timeout(200)
        looks.append(seen.thumb_pixels(2, 3))
        assert looks[0] != looks[1] != looks[2] != looks[0]

    def test_thumbnails_survive_a_change_of_width(self, heatmap):
        seen = heatmap()
        seen.page.set_viewport_size({"width": 500, "height": 800})
        seen.page.wait_for_timeout(200)
        narrow = seen.thumb_pixels(2, 3)
        seen.page.set_viewport_size({"width": 1280, "height": 800})
        seen.page.wait_for_timeout(200)
        assert np.ptp(narrow) > 200
        assert np.ptp(seen.thumb_pixels(2, 3)) > 200

    def test_still_picture_without_javascript(self, saved, open_page):
        widget = _widget()
        page = open_page(saved(widget), scripts=False)
        picture = page.get_by_role("img")
        expect(picture).to_be_visible()
        expect(page.get_by_text(widget.describe())).to_be_visible()
        box = picture.bounding_box()
        assert box["width"] > 200
        assert box["height"] > 200
        assert widget.describe() in picture.get_attribute("alt")


class TestPage:
    def test_follows_the_theme_of_the_page_live(self, heatmap):
        seen = heatmap()
        paper = "(e) => getComputedStyle(e).backgroundColor"
        card = seen.place.locator(".widget")
        light, light_pixels = card.evaluate(paper), seen.pixels()
        seen.page.evaluate("document.documentElement.dataset.theme = 'dark'")
        expect(card).not_to_have_css("background-color", light)
        assert card.evaluate(paper) == "rgb(20, 24, 30)"
        assert seen.pixels() != light_pixels
        seen.page.evaluate("document.documentElement.dataset.theme = 'light'")
        expect(card).to_have_css("background-color", light)
        assert seen.pixels() == light_pixels

    def test_follows_the_scheme_of_the_system_live(self, heatmap):
        seen = heatmap()
        card = seen.place.locator(".widget")
        expect(card).to_have_css("background-color", "rgb(255, 255, 255)")
        seen.page.emulate_media(color_scheme="dark")
        expect(card).to_have_css("background-color", "rgb(20, 24, 30)")
        seen.page.evaluate("document.documentElement.dataset.theme = 'light'")
        expect(card).to_have_css("background-color", "rgb(255, 255, 255)")

    def test_two_widgets_are_independent(self, saved, open_page):
        page = open_page(saved(_widget(), _widget(row=2)))
        first, second = (Heatmap(page, N, N, nth) for nth in (0, 1))
        before = second.lines
        first.thumb(2, 3).click()
        first.chip("softmax").uncheck()
        first.press("End")
        assert second.lines == before
        assert second.chosen_head == "layer 1, head 1"
        assert second.chip("softmax").is_checked()
        _expect_row(before[0], 2, _weights()[2])
        second.click(4, 4)
        assert first.chosen_query == TOKENS[-1]

    def test_works_from_a_file(self, desk, open_page):
        widget = _widget()
        widget.save_html(desk / "file.html")
        seen = Heatmap(open_page(desk / "file.html"), N, N)
        seen.click(3, 1)
        _expect_cell(seen.lines[1], 3, 1, float(_weights()[3, 1]))

    @pytest.mark.parametrize("width", [1280, 390])
    @pytest.mark.parametrize("size", ["steps", "many"])
    def test_needs_no_more_room_than_was_kept_free(self, heatmap, width, size):
        many = AttentionHeatmap([f"t{i}" for i in range(64)], np.full((4, 12, 64, 64), 1 / 64))
        seen = heatmap(many if size == "many" else _widget(causal=True), width=width)
        seen.click(1, 1)
        kept = float(seen.place.evaluate("(e) => parseFloat(getComputedStyle(e).minHeight)"))
        needed = seen.place.locator(".widget").bounding_box()["height"]
        assert needed <= kept
        assert kept - needed < 120
        assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= width

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_accessible(self, heatmap, scheme, width):
        seen = heatmap(_widget(causal=True), scheme=scheme, width=width)
        seen.table()
        assert violations(seen.page) == []
        seen.chip("softmax").uncheck()
        assert violations(seen.page) == []
