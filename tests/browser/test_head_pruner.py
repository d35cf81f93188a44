"""The head pruner, driven as a person drives it; what is read equals what Python measured."""

import re

import numpy as np
import pytest
import torch
from axe import violations
from playwright.sync_api import expect

from companion import pruning
from companion.widgets import HeadPruner

HEADS, N, MEASURED = 3, 5, 100
TWINS = [
    {"label": "tired", "words": ["the", "dog", "it", "road", "tired"]},
    {"label": "wide", "words": ["the", "dog", "it", "road", "wide"]},
]
PLACES = [{"pronoun": 2, "right": 1, "wrong": 3}, {"pronoun": 2, "right": 3, "wrong": 1}]
RNG = np.random.default_rng(3)
ACCURACY = (RNG.integers(0, MEASURED + 1, (2, 64)) / MEASURED).astype(np.float32)
ODDS = RNG.normal(size=(2, 2, 64)) * 2


def softmax(x):
    powers = np.exp(x)
    return powers / powers.sum(-1, keepdims=True)


FIRST = softmax(RNG.normal(size=(2, 2, HEADS, N, N)))
SECOND = softmax(2 * RNG.normal(size=(2, 2, 8, HEADS, N, N)))


def _widget(**state):
    return HeadPruner(
        networks=["plain", "started anew"],
        sentences=[twin | places for twin, places in zip(TWINS, PLACES, strict=True)],
        accuracy=ACCURACY,
        measured=MEASURED,
        odds=ODDS,
        first=FIRST,
        second=SECOND,
        **state,
    )


class Pruner:
    def __init__(self, page):
        self.page = page
        self.place = page.locator("[data-widget=HeadPruner]")
        self.tiles = self.place.locator(".tile")

    def button(self, name):
        return self.place.get_by_role("button", name=name, exact=True)

    @property
    def kept(self):
        """The subset, as the tiles say it."""
        pressed = self.tiles.evaluate_all("(all) => all.map((e) => e.ariaPressed === 'true')")
        return sum(1 << head for head, on in enumerate(pressed) if on)

    @property
    def status(self):
        return self.place.get_by_role("status").inner_text()

    def expect_figures(self, network, sentence, kept):
        assert self.kept == kept
        right = round(ACCURACY[network, kept] * MEASURED)
        count = self.place.locator(".count").inner_text()
        assert count == f"{right} of 100 right with {kept.bit_count()} of 6 heads"
        assert self.status.startswith(f"{right} of 100 right.")
        told = self.place.locator(".told").all_inner_texts()
        for head, text in enumerate(told):
            word = "without" if kept >> head & 1 else "with"
            assert text == f"{word} {ACCURACY[network, kept ^ (1 << head)]:.2f}"
        share = 1 / (1 + np.exp(-ODDS[network, sentence, kept]))
        words, places = TWINS[sentence]["words"], PLACES[sentence]
        noun = words[places["right"] if share > 0.5 else places["wrong"]]
        verdict = "right" if share > 0.5 else "wrong"
        assert re.search(rf"“it” is the {noun} \(\d\.\d\d\), which is {verdict}\.$", self.status)
        shown = float(re.search(r"\((\d\.\d\d)\)", self.status)[1])
        assert shown == pytest.approx(max(share, 1 - share), abs=0.0051)
        self.expect_looks(network, sentence, kept)

    def expect_looks(self, network, sentence, kept):
        of = [head for head in range(HEADS) if kept >> HEADS + head & 1]
        rows = SECOND[network, sentence, kept % 8, of, PLACES[sentence]["pronoun"]]
        expected = rows.mean(axis=0) if of else np.zeros(N)
        bars = self.place.locator(".word i").evaluate_all("(all) => all.map((e) => e.style.width)")
        assert [float(width[:-1]) for width in bars] == [
            pytest.approx(100 * weight, abs=0.6) for weight in expected
        ]


@pytest.fixture
def pruner(saved, open_page):
    """Open a page with a widget."""

    def open_(widget=None, **options):
        return Pruner(open_page(saved(widget or _widget()), **options))

    return open_


def test_every_head_can_be_pruned_and_put_back_by_mouse(pruner):
    seen = pruner()
    seen.expect_figures(0, 0, 63)
    assert "Nothing is pruned." in seen.status
    for head in range(6):
        seen.tiles.nth(head).click()
        seen.expect_figures(0, 0, 63 ^ (1 << head))
        assert f"Pruned: layer {head // 3 + 1}, head {head % 3 + 1}." in seen.status
        seen.tiles.nth(head).click()
        seen.expect_figures(0, 0, 63)


def test_by_keyboard_and_touch(pruner):
    seen = pruner(touch=True, width=390)
    seen.tiles.nth(4).tap()
    seen.expect_figures(0, 0, 0b101111)
    seen.tiles.nth(1).focus()
    seen.page.keyboard.press("Space")
    seen.expect_figures(0, 0, 0b101101)
    seen.page.keyboard.press("Enter")
    seen.expect_figures(0, 0, 0b101111)


def test_many_subsets_of_both_networks_and_sentences(pruner):
    seen = pruner()
    kept = 63
    for number, head in enumerate([0, 3, 5, 1, 0, 4, 2, 1, 3, 0]):
        network, sentence = number % 2, number // 2 % 2
        for group, name in (
            ("network", ["plain", "started anew"][network]),
            ("sentence", TWINS[sentence]["label"]),
        ):
            chips = seen.place.get_by_role("radiogroup", name=group)
            chips.get_by_role("radio", name=name).check()
        seen.tiles.nth(head).click()
        kept ^= 1 << head
        seen.expect_figures(network, sentence, kept)


def test_all_and_none(pruner):
    seen = pruner()
    seen.button("prune all").click()
    seen.expect_figures(0, 0, 0)
    assert "Kept: nothing." in seen.status
    for name in ("prune all", "prune the least needed", "which is needed most?"):
        expect(seen.button(name)).to_be_disabled()
    seen.button("keep all").click()
    seen.expect_figures(0, 0, 63)
    expect(seen.button("keep all")).to_be_disabled()


@pytest.mark.parametrize("network", [0, 1])
def test_greedy_pruning_takes_the_order_of_python(pruner, network):
    seen = pruner(_widget(network=network))
    kept = 63
    for head in pruning.greedy(torch.from_numpy(ACCURACY[network]).float()):
        seen.button("prune the least needed").click()
        kept ^= 1 << head
        seen.expect_figures(network, 0, kept)


def test_the_head_that_is_needed_most_is_pointed_out(pruner):
    seen = pruner()
    seen.button("which is needed most?").click()
    alone = pruning.single(torch.from_numpy(ACCURACY[0]))
    head = int(alone.argmin())
    right = round(alone[head].item() * MEASURED)
    name = f"layer {head // 3 + 1}, head {head % 3 + 1}"
    assert f"Needed most: {name}; without it {right} of 100 are right." in seen.status
    pointed = seen.tiles.evaluate_all("(all) => all.map((e) => e.classList.contains('pointed'))")
    assert pointed == [number == head for number in range(6)]
    assert seen.kept == 63


@pytest.mark.parametrize("network", [0, 1])
def test_the_table_is_what_python_finds(pruner, network):
    seen = pruner(_widget(network=network, kept=5))
    seen.place.locator("summary").click()
    accuracy = torch.from_numpy(ACCURACY[network]).float()
    best, kept, expected = pruning.best(accuracy), 63, []
    for head in [*pruning.greedy(accuracy), None]:
        size = kept.bit_count()
        name = "–" if head is None else f"layer {head // 3 + 1}, head {head % 3 + 1}"
        expected.append([str(size), f"{accuracy[kept].item():.2f}", f"{best[size][1]:.2f}", name])
        kept ^= 0 if head is None else 1 << head
    rows = seen.place.locator("tbody tr")
    expect(rows).to_have_count(7)
    assert [row.split("\t") for row in rows.all_inner_texts()] == expected


def test_a_small_picture_is_the_attention_of_its_head(pruner):
    seen = pruner(_widget(kept=0b110110))
    for head, weights in enumerate([*FIRST[0, 0], *SECOND[0, 0, 0b110]]):
        light = (
            seen.tiles.nth(head)
            .locator("canvas")
            .evaluate(
                """(canvas) => {
              const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
              return Array.from({length: data.length / 4}, (_, i) => data[4 * i] + data[4 * i + 1] + data[4 * i + 2]);
            }"""
            )
        )
        order = np.argsort(-weights.flatten())
        assert len(light) == N * N
        assert light[order[0]] == min(light)  # on white, the largest weight is the darkest
        assert light[order[-1]] == max(light)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_cut_off(pruner, width, scheme):
    seen = pruner(width=width, scheme=scheme)
    seen.tiles.nth(3).click()
    seen.place.locator("summary").click()
    seen.button("which is needed most?").click()
    assert violations(seen.page) == []
    assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= width
