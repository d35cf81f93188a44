"""A tiny BERT that marks answers, made on the spot, as one of the hub would be."""

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertModel,
    PreTrainedTokenizerFast,
)

from companion.models import pretrained
from companion.question_answering import best_span

QUESTION, TEXT = "Who was Jim Henson?", "Jim Henson was a nice puppet"
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "who", "was", "jim", "hen", "##son", "?"]
PIECES += ["a", "nice", "puppet"]


def tokenizer():
    numbers = {piece: number for number, piece in enumerate(PIECES)}
    plain = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))  # noqa: S106
    plain.normalizer = normalizers.BertNormalizer(lowercase=True)
    plain.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    plain.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")}
    return PreTrainedTokenizerFast(
        tokenizer_object=plain, model_input_names=["input_ids", "token_type_ids"], **special
    )


def bert(kind=BertForQuestionAnswering):
    torch.manual_seed(0)
    return kind(
        BertConfig(
            vocab_size=len(PIECES),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=24,
            initializer_range=0.7,
        )
    )


@pytest.fixture
def saved(tmp_path):
    def save(model):
        model.save_pretrained(tmp_path / "model")
        tokenizer().save_pretrained(tmp_path / "model")
        return str(tmp_path / "model")

    return save


def test_it_is_loaded_and_marks_the_best_span_of_the_text(saved):
    model, words = pretrained.load_reader(saved(bert()))
    answer = pretrained.find_answer(model, words, QUESTION, TEXT)
    assert answer in TEXT
    ids = words(QUESTION, TEXT)["input_ids"]
    assert words.convert_ids_to_tokens(ids).count("[SEP]") == 2
    begin = ids.index(3) + 1
    with torch.no_grad():
        says = model(
            torch.tensor([ids]),
            token_type_ids=torch.tensor([[0] * begin + [1] * (len(ids) - begin)]),
        )
    allowed = torch.arange(len(ids)).ge(begin) & torch.arange(len(ids)).lt(len(ids) - 1)
    found = best_span(says.start_logits[0], says.end_logits[0], allowed)
    assert answer.lower().replace(" ", "") == "".join(
        words.convert_ids_to_tokens(ids)[found.first : found.last + 1]
    ).replace("##", "")


def test_a_trained_one_finds_the_puppet(saved):
    model, words = pretrained.load_reader(saved(bert()))
    given = words(QUESTION, TEXT, return_tensors="pt")
    n = given["input_ids"].shape[1]
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        places = {"start_positions": torch.tensor([n - 4]), "end_positions": torch.tensor([n - 2])}
        optimizer.zero_grad()
        model(**given, **places).loss.backward()
        optimizer.step()
    assert pretrained.find_answer(model, words, QUESTION, TEXT) == "a nice puppet"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "text has no token"),
        ("jim " * 30, "question and text have 39 tokens; the model reads 24"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(saved, text, told):
    model, words = pretrained.load_reader(saved(bert()))
    with pytest.raises(ValueError, match=told):
        pretrained.find_answer(model, words, QUESTION, text)


def test_an_encoder_without_the_head_is_refused(saved):
    with pytest.raises(ValueError, match=r"lack qa_outputs.*without the head that marks answers"):
        pretrained.load_reader(saved(bert(BertModel)))


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="cannot be loaded"):
        pretrained.load_reader(str(tmp_path))
