"""What BertViz is given, and what stands on the page: numbers, names, and nothing of a text as HTML."""

import html
import json
import re
from html.parser import HTMLParser

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.attention import attention_scores, attention_weights, causal_mask
from companion.bertviz_views import head_view, model_view, neuron_view
from companion.site.page import tidy

# BertViz leaves it to Python to close the scripts that it reads.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

TOKENS = ["we", "book", "a", "table"]
LAYERS, HEADS, N, D_K = 3, 2, 4, 6
CDN = "https://cdnjs.cloudflare.com"


def computed(*, causal=False, n=N):
    """Queries, keys and weights of each layer."""
    torch.manual_seed(0)
    query, key = torch.randn(2, LAYERS, 1, HEADS, n, D_K)
    mask = causal_mask(n) if causal else None
    return list(query), list(key), list(attention_weights(attention_scores(query, key), mask))


def views(tokens=TOKENS):
    query, key, weights = computed(n=len(tokens))
    return [
        head_view(weights, tokens),
        model_view(weights, tokens),
        neuron_view(query, key, weights, tokens),
    ]


def data(view):
    """What BertViz's script is given."""
    found = re.search(
        r"^(?:\s*const params|window\.bertviz_params) = (\{.*\})", view.document(), re.MULTILINE
    )
    return json.loads(found[1])


def attended(view):
    told = data(view)["attention"]
    return told["all"] if "all" in told else told[0]


@pytest.mark.parametrize("kind", range(3))
def test_weights_and_tokens_are_handed_over(kind):
    view = views()[kind]
    told = attended(view)
    expected = torch.stack(computed()[2])[:, 0]  # (layers, heads, n, n)
    torch.testing.assert_close(torch.tensor(told["attn"]), expected, atol=6e-5, rtol=0)
    assert told["left_text"] == told["right_text"] == TOKENS
    assert re.search(r"\d\.\d{5}", json.dumps(data(view))) is None


def test_the_neuron_view_has_queries_and_keys():
    query, key, weights = computed()
    told = attended(neuron_view(query, key, weights, TOKENS, layer=2, head=1))
    torch.testing.assert_close(
        torch.tensor(told["queries"]), torch.stack(query)[:, 0], atol=6e-5, rtol=0
    )
    torch.testing.assert_close(
        torch.tensor(told["keys"]), torch.stack(key)[:, 0], atol=6e-5, rtol=0
    )


@pytest.mark.parametrize("causal", [False, True])
def test_the_neuron_view_hides_what_comes_later_only_from_who_does_not_see_it(causal):
    view = neuron_view(*computed(causal=causal), TOKENS)
    assert data(view)["bidirectional"] is not causal


def test_what_is_shown_first_can_be_chosen():
    query, key, weights = computed()
    assert data(head_view(weights, TOKENS, layer=1, heads=[1]))["heads"] == [1]
    assert data(head_view(weights, TOKENS, layer=1))["layer"] == 1
    told = data(neuron_view(query, key, weights, TOKENS, layer=2, head=1))
    assert (told["layer"], told["head"]) == (2, 1)


@pytest.mark.parametrize("draw", [head_view, model_view])
def test_two_texts_make_three_kinds_of_attention(draw):
    own, cross, memory = (
        torch.rand(2, 1, 2, 3, 3),
        torch.rand(2, 1, 2, 3, 5),
        torch.rand(2, 1, 2, 5, 5),
    )
    read, written = list("abcde"), list("xyz")
    view = draw(
        encoder_attention=list(memory),
        decoder_attention=list(own),
        cross_attention=list(cross),
        encoder_tokens=read,
        decoder_tokens=written,
    )
    texts = {"Encoder": (read, read), "Decoder": (written, written), "Cross": (written, read)}
    for told, weights in zip(data(view)["attention"], (memory, own, cross), strict=True):
        assert (told["left_text"], told["right_text"]) == texts[told["name"]]
        torch.testing.assert_close(torch.tensor(told["attn"]), weights[:, 0], atol=6e-5, rtol=0)
    assert repr(view).endswith(" view: 2 layers of 2 heads on “a b c d e” and “x y z”>")


class Frames(HTMLParser):
    """All tags of a page, and the attributes of its frames."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.frames = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "iframe":
            self.frames.append(dict(attributes))


@pytest.mark.parametrize("kind", range(3))
def test_a_view_is_one_frame_that_says_what_it_shows(kind):
    view = views()[kind]
    page = Frames(view._repr_html_())
    (frame,) = page.frames
    assert page.tags == ["div", "style", "iframe"]
    assert frame["srcdoc"] == view.document()
    name = ("head", "model", "neuron")[kind]
    assert frame["title"] == f"BertViz {name} view: 3 layers of 2 heads on “we book a table”"
    assert repr(view) == f"<{frame['title']}>"


@pytest.mark.parametrize("kind", range(3))
def test_every_menu_has_a_name(kind):
    menus = re.findall(r"<select [^>]*>", views()[kind].document())
    assert len(menus) == (1, 0, 2)[kind]
    assert all("aria-label=" in menu for menu in menus)


@pytest.mark.parametrize("kind", range(3))
def test_in_the_book_it_asks_the_book_s_own_site(kind):
    page = f'<html data-content_root="../../"><body>{views()[kind]._repr_html_()}</body></html>'
    assert page.count(CDN) == 3
    assert CDN not in tidy(page)
    document = Frames(tidy(page)).frames[0]["srcdoc"]
    for name in ("src='../../_static/vendor/require.min.js'", "d3: '../../_static/vendor/d3.min'"):
        assert name in document


NASTY = ["</script><b>", '"&quot;', "<!-- <script>", "window.bertviz_params = {}", "'\\u003c\\"]


@pytest.mark.parametrize("kind", range(3))
def test_a_text_is_text(kind):
    view = views(NASTY)[kind]
    assert attended(view)["left_text"] == NASTY
    document = view.document()
    assert document.lower().count("</script>") == document.lower().count("<script")
    assert "<b>" not in document
    assert "<!--" not in document
    assert Frames(view._repr_html_()).tags == ["div", "style", "iframe"]
    assert html.escape(view.label) in view._repr_html_()


@settings(max_examples=30)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=4))
def test_any_text_is_text(tokens):
    # BertViz writes the marks that tokenizers put for a space as a space.
    plain = [token.replace("Ġ", " ").replace("▁", " ").replace("</w>", "") for token in tokens]
    for view in views(tokens)[:2]:
        assert attended(view)["left_text"] == plain
        assert Frames(view._repr_html_()).frames[0]["srcdoc"] is not None


def test_a_longer_text_gets_a_higher_frame():
    for short, long in zip(views(TOKENS), views(3 * TOKENS), strict=True):
        assert short.height < long.height
        assert short.width == long.width


WEIGHTS = computed()[2]


@pytest.mark.parametrize("draw", [head_view, model_view])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "attention is missing"),
        ({"tokens": TOKENS}, "attention is missing"),
        (
            {"attention": []},
            r"attention: weights of each layer, \(1, heads, n, n\), are needed; .*eager",
        ),
        ({"attention": (None,), "tokens": TOKENS}, 'attention: .* attn_implementation="eager"'),
        (
            {"attention": [WEIGHTS[0][0]], "tokens": TOKENS},
            r"attention: weights .*\(1, heads, n, n\)",
        ),
        ({"attention": [torch.cat(WEIGHTS)], "tokens": TOKENS}, r"attention: weights .*\(1, heads"),
        ({"cross_attention": []}, "cross_attention: weights of each layer"),
        ({"attention": WEIGHTS, "tokens": TOKENS[1:]}, "4 positions, while number of tokens is 3"),
        ({"attention": WEIGHTS}, "'tokens' is required"),
    ],
)
def test_bad_input_is_refused(draw, given, message):
    with pytest.raises(ValueError, match=message):
        draw(**given)


@pytest.mark.parametrize("layer", [-1, 3])
def test_a_layer_that_is_not_there_is_refused(layer):
    for draw in (
        lambda: head_view(WEIGHTS, TOKENS, layer=layer),
        lambda: neuron_view(*computed(), TOKENS, layer=layer),
    ):
        with pytest.raises(ValueError, match=f"layer is {layer}: it must be from 0 to 2"):
            draw()


def test_a_head_that_is_not_there_is_refused():
    for draw in (
        lambda: head_view(WEIGHTS, TOKENS, heads=[0, 2]),
        lambda: neuron_view(*computed(), TOKENS, head=2),
    ):
        with pytest.raises(ValueError, match="head is 2: it must be from 0 to 1"):
            draw()


def test_the_neuron_view_refuses_weights_that_come_from_something_else():
    query, key, weights = computed()
    biased = attention_scores(query[1], key[1]) + torch.randn(N, N)
    with pytest.raises(ValueError, match=r"weights\[1\] are not the softmax of q·k/√d_k"):
        neuron_view(query, key, [weights[0], biased.softmax(dim=-1), weights[2]], TOKENS)
    with pytest.raises(ValueError, match="tokens: there are 3, weights are of 4"):
        neuron_view(query, key, weights, TOKENS[1:])
    with pytest.raises(ValueError, match="argument"):
        neuron_view(query[:1], key, weights, TOKENS)
