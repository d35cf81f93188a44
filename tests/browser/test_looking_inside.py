"""BertViz in the built book: every view drawn, asked by mouse and by key, and compared with Python's weights."""

import re
import shutil

import pytest
import torch
from axe import violations
from playwright.sync_api import FrameLocator, Page, expect

from companion.bertviz_views import neuron_view
from companion.looks import keep_looks
from companion.models import load, resolver
from companion.models.bert import pieces as word_pieces
from companion.models.summarizer import pieces as dialogue_pieces
from companion.models.translator import pieces as caption_pieces
from companion.models.translator.ask import read
from companion.models.translator.recipe import END
from companion.site.page import tidy

PATH = "chapters/week3-bert-and-t5/looking-inside.html"
KINDS = ("head", "model", "neuron", "head", "head")  # in the order of the page
HEAD, MODEL, NEURON, CAUSAL, BERT = range(5)
WORDS = [
    "the",
    "animal",
    "didn't",
    "cross",
    "the",
    "street",
    "because",
    "it",
    "was",
    "too",
    "tired",
]
IT, ANIMAL, STREET = (WORDS.index(word) for word in ("it", "animal", "street"))
CLOSE = 1e-4  # BertViz is given four decimals


@pytest.fixture(scope="module")
def layers():
    """What each layer of the resolver computed of the sentence."""
    network = load("resolver").variants["word"]
    return resolver.resolve(network, " ".join(WORDS)).trace.layers


@pytest.fixture(scope="module")
def translated():
    """The translator's weights, (4 layers, 4 heads, n_q, n_k), of each kind of attention, and tokens."""
    source = read(0, "Two dogs are running on the beach.")
    target = [END, *caption_pieces.encode("Zwei Hunde laufen am Strand.")[0]]
    model = load("translator")
    with torch.no_grad(), keep_looks(model) as looks:
        model(torch.tensor([source]), torch.tensor([target]))

    def of(stack, kind):
        return torch.cat(
            [looks[f"transformer.{stack}_layers.{i}.{kind}"].weights for i in range(4)]
        )

    return {
        "Encoder": of("encoder", "attention"),
        "Decoder": of("decoder", "attention"),
        "Cross": of("decoder", "cross_attention"),
    }


def frame(page: Page, number: int) -> FrameLocator:
    """One of the views, drawn."""
    place = page.locator(".companion-bertviz iframe").nth(number)
    place.scroll_into_view_if_needed()
    view = place.content_frame
    expect(view.locator("svg line").first).to_be_attached()
    return view


def opacities(view: FrameLocator, selector: str) -> torch.Tensor:
    told = view.locator(selector).evaluate_all(
        "(lines) => lines.map((line) => +line.getAttribute('stroke-opacity'))"
    )
    return torch.tensor(told)


def boxes(view: FrameLocator, side: str) -> torch.Tensor:
    """How strong the coloured boxes behind the tokens of a side of a head view are: (heads, n)."""
    heads = view.locator(f"#{side} .attentionBoxes > g").all()
    return torch.tensor(
        [
            head.locator("rect").evaluate_all(
                "(all) => all.map((e) => +getComputedStyle(e).opacity)"
            )
            for head in heads
        ]
    )


def close(told: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(told, expected.reshape(told.shape), atol=CLOSE, rtol=0)


def left(view: FrameLocator, name: str, side: str = "#left"):
    return view.locator(side).get_by_role("group", name=name, exact=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_view_is_drawn_has_room_and_names(open_page, width, scheme):
    page = open_page(PATH, width=width, scheme=scheme)
    expect(page.locator(".companion-bertviz iframe")).to_have_count(len(KINDS))
    for number, kind in enumerate(KINDS):
        view = frame(page, number)
        place = page.locator(".companion-bertviz iframe").nth(number)
        assert place.get_attribute("title").startswith(f"BertViz {kind} view: ")
        room = "(e) => [e.scrollHeight <= innerHeight, e.scrollWidth, innerWidth]"
        high_enough, drawn, seen = view.locator("html").evaluate(room)
        assert high_enough
        # A wide view scrolls in its own frame; the page does not.
        assert (drawn <= seen) is (width == 1280 or kind == "head")
        filtered = place.evaluate("(e) => getComputedStyle(e).filter")
        assert ("invert" in filtered) is (scheme == "dark")
    for child in page.frames[1:]:
        assert violations(child) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width


def test_in_the_head_view_lines_are_weights_and_the_menu_changes_the_layer(open_page, layers):
    view = frame(open_page(PATH), HEAD)
    for number in (1, 0):
        view.get_by_role("combobox", name="Layer").select_option(str(number))
        close(
            opacities(view, "#attention line"), layers[number].weights / 4
        )  # four heads share a line


def test_pointing_at_a_token_shows_where_it_looks_and_who_looks_at_it(open_page, layers):
    view = frame(open_page(PATH), HEAD)
    weights = layers[1].weights  # (4, 11, 11)
    left(view, "it").hover()
    close(boxes(view, "right"), weights[:, IT])
    shown = view.locator("#attention line[visibility=visible]")
    assert shown.evaluate_all(
        "(all) => all.map((e) => +e.getAttribute('left-token-index'))"
    ) == 44 * [IT]
    left(view, "animal", "#right").hover()
    close(boxes(view, "left"), weights[:, :, ANIMAL])


def test_a_token_can_be_tapped(open_page, layers):
    view = frame(open_page(PATH, width=390, touch=True), HEAD)
    left(view, "it").tap()
    close(boxes(view, "right"), layers[1].weights[:, IT])


def test_heads_are_chosen_one_by_one(open_page, layers):
    view = frame(open_page(PATH), HEAD)
    weights = layers[1].weights
    view.get_by_role("button", name="head 2").dblclick()
    close(opacities(view, "#attention .headAttention:nth-child(3) line"), weights[2])
    assert opacities(view, "#attention .headAttention:not(:nth-child(3)) line").max() == 0
    view.get_by_role("button", name="head 0").click()
    close(opacities(view, "#attention .headAttention:nth-child(1) line"), weights[0] / 2)


def test_the_head_view_answers_to_keys_alone(open_page, layers):
    page = open_page(PATH)
    view = frame(page, HEAD)
    view.get_by_role("combobox", name="Layer").focus()
    seen = []
    for _ in range(8):
        page.keyboard.press("Tab")
        seen.append(view.locator(":focus").get_attribute("aria-label"))
        if seen[-1] == WORDS[0]:
            break
    assert WORDS[0] in seen
    for _ in range(IT):
        page.keyboard.press("ArrowDown")
    assert view.locator(":focus").get_attribute("aria-label") == "it"
    close(boxes(view, "right"), layers[1].weights[:, IT])
    view.get_by_role("button", name="head 3").focus()
    assert boxes(view, "right").max() == 0
    page.keyboard.press("Shift+Enter")
    close(opacities(view, "#attention .headAttention:nth-child(4) line"), layers[1].weights[3])
    page.keyboard.press("ArrowRight")  # around to the first
    page.keyboard.press("Enter")
    close(opacities(view, "#attention .headAttention:nth-child(1) line"), layers[1].weights[0] / 2)


@pytest.mark.parametrize("kind", ["Encoder", "Decoder", "Cross"])
def test_the_model_view_has_every_head_of_each_kind(open_page, translated, kind):
    view = frame(open_page(PATH), MODEL)
    view.get_by_role("combobox", name="Attention").select_option(label=kind)
    expect(view.get_by_role("button")).to_have_count(16)
    close(opacities(view, "svg line"), translated[kind])


def test_a_picture_of_the_model_view_is_enlarged_by_click_and_by_key(open_page, translated):
    page = open_page(PATH)
    view = frame(page, MODEL)
    large = view.locator("svg > text.detail")
    view.get_by_role("button", name="layer 2, head 3").click()
    expect(large).to_have_text("Layer 2, Head 3")
    close(opacities(view, "svg > g.detail line"), translated["Encoder"][2, 3])
    dogs = view.locator("svg > g.detail").first.get_by_role("group", name="dogs")
    dogs.hover()
    strong = view.locator(".attn-line-group").evaluate_all(
        "(all) => all.map((e) => +e.style.opacity)"
    )
    assert strong == [0, 1] + 7 * [0]
    view.get_by_role("button", name="layer 2, head 3").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(large).to_have_text("Layer 2, Head 2")
    page.keyboard.press("Enter")
    expect(large).to_have_count(0)


def _vectors(view: FrameLocator, name: str) -> torch.Tensor:
    told = view.locator(f"#expanded #{name} .element").evaluate_all(
        "(all) => all.map((e) => +e.dataset.value)"
    )
    return torch.tensor(told).reshape(len(WORDS), -1)


@pytest.mark.parametrize("way", ["mouse", "keys"])
def test_the_neuron_view_shows_how_a_weight_comes_about(open_page, layers, way):
    page = open_page(PATH)
    view = frame(page, NEURON)
    layer = layers[1]
    close(opacities(view, "#collapsed .attn-line-group line"), layer.weights[0])
    token = left(view, "it", "#collapsed #leftText")
    plus = view.locator("#collapsed").get_by_role("button").nth(IT)
    if way == "mouse":
        token.hover()
        plus.click()
        left(view, "it", "#expanded #leftText").hover()
    else:
        plus.focus()
        page.keyboard.press("Enter")
    expect(view.locator("#expanded")).to_have_attribute("visibility", "visible")
    close(_vectors(view, "queries"), layer.query[0])
    close(_vectors(view, "keys"), layer.key[0])
    product = layer.query[0, IT] * layer.key[0]
    torch.testing.assert_close(_vectors(view, "product"), product, atol=2e-3, rtol=1e-3)
    sums = view.locator("#expanded .dotproduct").evaluate_all(
        "(all) => all.map((e) => +e.dataset.value)"
    )
    torch.testing.assert_close(torch.tensor(sums), product.sum(dim=-1) / 4, atol=2e-3, rtol=1e-3)
    told = view.locator("#expanded #rightText .highlight").evaluate_all(
        "(all) => all.map((e) => +e.style.opacity)"
    )
    close(torch.tensor(told), layer.weights[0, IT])
    if way == "keys":
        page.keyboard.press("Enter")
        expect(view.locator("#collapsed")).to_have_attribute("visibility", "visible")


def test_the_neuron_view_s_menus_choose_layer_and_head(open_page, layers):
    view = frame(open_page(PATH), NEURON)
    view.get_by_role("combobox", name="Layer").select_option("0")
    view.get_by_role("combobox", name="Head").select_option("3")
    close(opacities(view, "#collapsed .attn-line-group line"), layers[0].weights[3])


# BertViz leaves it to Python to close the scripts that it reads.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_two_neuron_views_on_one_page_show_each_its_own(
    open_page, layers, book, desk, desk_address
):
    views = [
        neuron_view(*([getattr(layer, name)[None]] for name in ("query", "key", "weights")), WORDS)
        for layer in layers
    ]
    shutil.copytree(book / "_static/vendor", desk / "_static/vendor", dirs_exist_ok=True)
    body = "".join(view._repr_html_() for view in views)
    html = f'<!DOCTYPE html><html lang="en"><title>two</title><link rel="icon" href="data:,">{body}'
    (desk / "two.html").write_text(tidy(html), "utf-8")
    page = open_page(f"{desk_address}/two.html")
    for number, layer in enumerate(layers):
        view = frame(page, number)
        close(opacities(view, "#collapsed .attn-line-group line"), layer.weights[0])
        view.locator("#collapsed").get_by_role("button").nth(IT).click()
        close(_vectors(view, "queries"), layer.query[0])
        product = layer.query[0, IT] * layer.key[0]
        torch.testing.assert_close(_vectors(view, "product"), product, atol=2e-3, rtol=1e-3)


def test_the_causal_view_never_looks_ahead(open_page):
    view = frame(open_page(PATH), CAUSAL)
    text = "User: I want to eat.\nAgent: In which city?\nUser: In Oakland."
    numbers, cut = dialogue_pieces.encode(text)
    with torch.no_grad():
        expected = load("summarizer").read(torch.tensor([numbers])).weights[0]  # (4, 4, n, n)
    n = len(numbers)
    told = opacities(view, "#attention line").reshape(4, n, n)
    close(told, expected[2] / 4)
    assert told.triu(diagonal=1).max() == 0
    words = view.locator("#left").get_by_role("group").all_text_contents()
    assert [word.strip() for word in words] == [re.sub("\n", "⏎", piece).strip() for piece in cut]


def test_bert_reads_two_passages(open_page):
    page = open_page(PATH)
    view = frame(page, BERT)
    passages = "User: I want to eat.", "Agent: In which city? User: In Oakland."
    numbers, segments = word_pieces.join(*(word_pieces.encode(text)[0] for text in passages))
    model = load("bert").bert
    with torch.no_grad(), keep_looks(model) as looks:
        model(torch.tensor([numbers]), torch.tensor([segments]))
    close(opacities(view, "#attention line"), list(looks.values())[2].weights[0] / 4)
    names = word_pieces.names()
    words = view.locator("#left").get_by_role("group").all_text_contents()
    assert words == [names[number] for number in numbers]
    left(view, "[CLS]", "#right").hover()
    close(boxes(view, "left"), list(looks.values())[2].weights[0, :, :, 0])
