"""Small BERT and GPT-2 models in a folder, as those of the hub would be: loaded, scored, refused."""

import socket

import huggingface_hub
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from companion.corpora import wsc
from companion.models import pretrained
from companion.models.evaluation import evaluate
from companion.scoring import METHODS, score

OURS = wsc.collection()[:8]
SPECIAL = ["[PAD]", "[UNK]", "[MASK]", "<s>"]


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a test went to the network")

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)


def tokenizer():
    """One token a word; what the collection does not have is unknown."""
    cut = pre_tokenizers.Whitespace()
    words = sorted({word for p in OURS for word, _ in cut.pre_tokenize_str(p.text)})
    numbers = {word: i for i, word in enumerate(SPECIAL + words)}
    plain = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))  # noqa: S106
    plain.pre_tokenizer = cut
    names = zip(("pad", "unk", "mask", "bos"), SPECIAL, strict=True)
    return PreTrainedTokenizerFast(
        tokenizer_object=plain, **{f"{name}_token": text for name, text in names}
    )


WORDS = tokenizer()


def bert(kind=BertForMaskedLM):
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        initializer_range=0.7,
    )
    return kind(config)


def gpt2():
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(WORDS), n_embd=16, n_layer=2, n_head=2, n_positions=64, initializer_range=0.7
    )
    return GPT2LMHeadModel(config)


@pytest.fixture
def saved(tmp_path):
    def save(model):
        model.save_pretrained(tmp_path / "model")
        WORDS.save_pretrained(tmp_path / "model")
        return str(tmp_path / "model")

    return save


KINDS = [(bert, BertForMaskedLM, METHODS), (gpt2, GPT2LMHeadModel, METHODS[1:3])]


@pytest.mark.parametrize(("make", "kind", "methods"), KINDS, ids=["bert", "gpt2"])
def test_a_model_in_a_folder_can_be_scored_with(saved, make, kind, methods):
    original = make()
    model, words = pretrained.load(saved(original))
    assert isinstance(model, kind)
    assert not model.training
    torch.testing.assert_close(model.state_dict(), original.state_dict(), rtol=0, atol=0)
    problem = OURS[0]
    for method in methods:
        choose = pretrained.chooser(model, words, method)
        told = score(model, words, problem.text, problem.pronoun, problem.spans, method=method)
        assert choose(problem) == pytest.approx(told, abs=1e-4)
        report = evaluate(choose, OURS)
        assert report.answered == 1
        assert report.interval[0] <= report.accuracy <= report.interval[1]
        assert report.pairs == 4


@pytest.mark.parametrize("make", [bert, gpt2])
def test_attentions_are_the_model_s_own(saved, make):
    name, text = saved(make()), OURS[0].text
    tokens, looked = pretrained.attentions(name, text)
    model, words = pretrained.load(name)
    assert tokens == words.tokenize(text)
    expected = model(**words(text, return_tensors="pt"), output_attentions=True).attentions
    torch.testing.assert_close(looked, list(expected))
    assert [tuple(layer.shape) for layer in looked] == 2 * [(1, 2, len(tokens), len(tokens))]
    assert not looked[0].requires_grad


def test_attentions_of_no_text_or_too_long_a_text_are_refused(saved):
    name = saved(bert())
    for nothing in ("", " "):
        with pytest.raises(ValueError, match="text is empty: it must have at least one token"):
            pretrained.attentions(name, nothing)
    with pytest.raises(ValueError, match=r"text has 70 tokens: '.*' takes at most 64"):
        pretrained.attentions(name, 70 * "a ")


def test_a_candidate_that_is_not_in_the_text_has_no_place_there(saved):
    model, words = pretrained.load(saved(bert()))
    problem = wsc.Problem("The animal was too tired , so it", (30, 32), ("the street", "animal"), 1)
    assert pretrained.chooser(model, words, "attention")(problem) is None
    told = pretrained.chooser(model, words, "masked-lm")(problem)
    assert len(told) == 2
    assert evaluate(pretrained.chooser(model, words, "attention"), [problem]).answered == 0


# What cannot be loaded.


def refused(name):
    with pytest.raises(ValueError, match=r"^name: ") as told:
        pretrained.load(name)
    assert "\n" not in str(told.value)
    assert name in str(told.value)
    return str(told.value)


def test_weights_without_a_head_are_refused(saved):
    message = refused(saved(bert(BertModel)))
    assert "lack cls.predictions" in message
    assert "saved without the head that predicts words" in message


@pytest.mark.parametrize("name", ["no-such-model-anywhere", "no/such/model", "", "nobody/nothing"])
def test_a_missing_name_is_refused_in_one_line(name):
    assert f"name: {name!r} cannot be loaded (" in refused(name)


def test_an_empty_folder_is_refused(tmp_path):
    assert "cannot be loaded (" in refused(str(tmp_path))


def test_a_folder_without_weights_is_refused(tmp_path):
    gpt2().config.save_pretrained(tmp_path)
    WORDS.save_pretrained(tmp_path)
    assert "cannot be loaded (" in refused(str(tmp_path))


def test_damaged_weights_are_refused(saved, tmp_path):
    name = saved(gpt2())
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    assert "cannot be loaded (" in refused(name)


@pytest.mark.parametrize("make", [bert, gpt2])
def test_a_folder_without_a_tokenizer_is_refused(tmp_path, make):
    make().save_pretrained(tmp_path)
    assert "has no tokenizer" in refused(str(tmp_path))


def test_weights_of_other_sizes_are_refused(saved, tmp_path):
    name, config = saved(gpt2()), tmp_path / "model" / "config.json"
    config.write_text(config.read_text("utf-8").replace('"n_embd": 16', '"n_embd": 32'), "utf-8")
    assert "cannot be loaded (" in refused(name)


def test_a_model_of_another_kind_is_refused(saved):
    config = T5Config(vocab_size=len(WORDS), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    message = refused(saved(T5ForConditionalGeneration(config)))
    assert "cannot be loaded (Unrecognized configuration class" in message
