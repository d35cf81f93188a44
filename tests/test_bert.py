"""BERT: with the same weights it is the transformers library's, and padding changes nothing."""

import pytest
import torch
from transformers import BertConfig, BertForPreTraining

from companion.attention import padding_mask
from companion.bert import Bert, Classifier, Pretraining, SpanReader

N_TOKENS, SIZES = 50, {"d_model": 32, "n_heads": 4, "n_layers": 3, "d_ff": 64}
LONGEST, PAD = 20, 0


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = Pretraining(Bert(N_TOKENS, **SIZES, longest=LONGEST)).eval()
    with torch.no_grad():  # far from where the weights begin, so that each of them counts
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) / 8)
    return model


@pytest.fixture(scope="module")
def texts():
    """Two texts of two segments: the second ends with padding."""
    torch.manual_seed(1)
    tokens = torch.randint(1, N_TOKENS, (2, 11))
    tokens[1, 8:] = PAD
    segments = torch.tensor([[0] * 5 + [1] * 6, [0] * 4 + [1] * 7])
    return tokens, segments


@pytest.fixture(scope="module")
def theirs(model):
    """The library's model with the weights of ours."""
    config = BertConfig(
        vocab_size=N_TOKENS,
        hidden_size=SIZES["d_model"],
        num_attention_heads=SIZES["n_heads"],
        num_hidden_layers=SIZES["n_layers"],
        intermediate_size=SIZES["d_ff"],
        max_position_embeddings=LONGEST,
        hidden_act="gelu",
        layer_norm_eps=1e-5,
        attn_implementation="eager",
    )
    theirs = BertForPreTraining(config).eval()
    loaded = theirs.load_state_dict(_translated(model), strict=False)
    assert not loaded.unexpected_keys
    assert not loaded.missing_keys
    # As many as ours: none has been forgotten.
    assert sum(p.numel() for p in theirs.parameters()) == sum(p.numel() for p in model.parameters())
    return theirs


def _translated(model):
    ours = model.bert
    pairs = {
        "bert.embeddings.LayerNorm": ours.norm,
        "bert.pooler.dense": ours.pooler,
        "cls.predictions.transform.dense": model.word_head.dense,
        "cls.predictions.transform.LayerNorm": model.word_head.norm,
        "cls.seq_relationship": model.next_head,
    }
    for i, layer in enumerate(ours.layers):
        name = f"bert.encoder.layer.{i}"
        attention, feed_forward = layer.attention, layer.feed_forward
        pairs |= {
            f"{name}.attention.self.query": attention.query,
            f"{name}.attention.self.key": attention.key,
            f"{name}.attention.self.value": attention.value,
            f"{name}.attention.output.dense": attention.output,
            f"{name}.attention.output.LayerNorm": layer.around_attention.norm,
            f"{name}.intermediate.dense": feed_forward.widen,
            f"{name}.output.dense": feed_forward.narrow,
            f"{name}.output.LayerNorm": layer.around_feed_forward.norm,
        }
    weights = {
        "bert.embeddings.word_embeddings.weight": ours.words.weight,
        "bert.embeddings.position_embeddings.weight": ours.positions.weight,
        "bert.embeddings.token_type_embeddings.weight": ours.segments.weight,
        "cls.predictions.bias": model.word_head.bias,
        "cls.predictions.decoder.weight": ours.words.weight,
        "cls.predictions.decoder.bias": model.word_head.bias,
    }
    for name, module in pairs.items():
        weights[f"{name}.weight"], weights[f"{name}.bias"] = module.weight, module.bias
    return weights


@torch.no_grad()
@pytest.mark.parametrize("padded", [False, True])
def test_it_is_the_library_s(model, theirs, texts, padded):
    tokens, segments = texts
    kept = tokens != PAD if padded else torch.ones_like(tokens, dtype=torch.bool)
    expected = theirs(
        tokens, attention_mask=kept.long(), token_type_ids=segments, output_hidden_states=True
    )
    ours, x = model.bert, model.bert.embed(tokens, segments)
    mask = padding_mask(tokens, PAD) if padded else None
    for layer, states in zip([None, *ours.layers], expected.hidden_states, strict=True):
        x = x if layer is None else layer(x, mask)
        torch.testing.assert_close(x[kept], states[kept], atol=1e-5, rtol=1e-5)
    states = ours(tokens, segments, mask)
    torch.testing.assert_close(states[kept], x[kept])
    logits = model.word_head(states)
    torch.testing.assert_close(logits[kept], expected.prediction_logits[kept], atol=1e-4, rtol=1e-5)
    pooled = ours.pool(states)
    last = expected.hidden_states[-1]
    torch.testing.assert_close(pooled, theirs.bert.pooler(last), atol=1e-5, rtol=1e-5)
    follows = model.next_head(pooled)
    torch.testing.assert_close(follows, expected.seq_relationship_logits, atol=1e-5, rtol=1e-5)
    assert logits.abs().max() > 1  # not all alike


@torch.no_grad()
def test_padding_changes_nothing_for_real_tokens(model, texts):
    tokens, segments = (rows[1:] for rows in texts)
    alone = model.bert(tokens[:, :8], segments[:, :8])
    filled = model.bert(tokens, segments, padding_mask(tokens, PAD))
    torch.testing.assert_close(filled[:, :8], alone, atol=1e-6, rtol=1e-5)
    unmasked = model.bert(tokens, segments)
    assert (unmasked[:, :8] - alone).abs().max() > 1e-2


@torch.no_grad()
def test_it_reads_in_both_directions(model, texts):
    tokens, segments = texts
    before = model.bert(tokens, segments)
    for place in (0, 10):
        changed = tokens.clone()
        changed[:, place] = (changed[:, place] + 1) % N_TOKENS
        after = model.bert(changed, segments)
        assert ((after - before).abs().amax(dim=-1) > 1e-4).all()


@torch.no_grad()
def test_place_and_segment_count(model):
    tokens = torch.tensor([[7, 7, 7]])
    first, second, _ = model.bert(tokens)[0]
    assert (first - second).abs().max() > 1e-2
    other = model.bert(tokens, torch.ones_like(tokens))
    assert (other - model.bert(tokens)).abs().max() > 1e-2
    torch.testing.assert_close(model.bert(tokens, torch.zeros_like(tokens)), model.bert(tokens))


@torch.no_grad()
def test_heads_and_their_shapes(texts):
    tokens, segments = texts
    bert = Bert(N_TOKENS, **SIZES)
    mask = padding_mask(tokens, PAD)
    assert Pretraining(bert).word_head(bert(tokens, segments, mask)).shape == (2, 11, N_TOKENS)
    assert Classifier(bert, 5).eval()(tokens, segments, mask).shape == (2, 5)
    start, end = SpanReader(bert).eval()(tokens, segments, mask)
    assert start.shape == end.shape == (2, 11)
    assert not torch.equal(start, end)


def test_the_head_scores_words_by_the_table_that_embeds_them(model):
    assert model.word_head.words is model.bert.words


def test_it_begins_small():
    bert = Bert(3000, d_model=64)
    assert bert.words.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert bert.layers[0].feed_forward.widen.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not bert.pooler.bias.any()


def test_dropout_hides_in_training_alone(texts):
    tokens, segments = texts
    bert = Bert(N_TOKENS, **SIZES, dropout=0.5)
    torch.manual_seed(0)
    assert not torch.equal(bert(tokens, segments), bert(tokens, segments))
    bert.eval()
    assert torch.equal(bert(tokens, segments), bert(tokens, segments))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Bert(0), "n_tokens is 0: it must be at least 1"),
        (lambda: Bert(9, n_layers=0), "n_layers is 0"),
        (lambda: Bert(9, longest=0), "longest is 0"),
        (lambda: Bert(9, d_model=10, n_heads=3), "n_heads"),
        (lambda: Classifier(Bert(9, **SIZES), 0), "n_classes is 0"),
        (
            lambda: Bert(9, **SIZES, longest=4)(torch.zeros(1, 5, dtype=torch.int64)),
            "tokens: there are 5; there are positions for 4",
        ),
    ],
)
def test_sizes_that_do_not_fit_are_refused(make, told):
    with pytest.raises(ValueError, match=told):
        make()
