"""Pretraining: what is drawn, what is hidden, that a model learns, and that it can be told twice."""

import math
import random

import pytest
import torch

from companion.corpora import dialogues
from companion.models.bert import recipe
from companion.models.bert.pieces import CLS, MASK, PAD, SEP, SIZE, SPECIAL, names
from companion.pretraining import UNASKED

SIZES = {"d_model": 32, "n_heads": 2, "n_layers": 1, "d_ff": 32}
QUICK = {"tokens": 512, "lengths": (64,), "learning_rate": 1e-2, "warm_up": 5} | SIZES


@pytest.fixture(scope="module")
def texts():
    return [recipe.turns(dialogue) for dialogue in dialogues.generate(60, 0)]


def within(count, n, share):
    return abs(count - n * share) <= 5 * math.sqrt(n * share * (1 - share))


def rng(seed):
    return random.Random(seed)  # noqa: S311


def passages(batch):
    """For each text: its two passages, what stands between the special tokens."""
    for tokens, segments in zip(batch.tokens, batch.segments, strict=True):
        real = tokens != PAD
        first = tokens[real & (segments == 0)].tolist()
        second = tokens[real & (segments == 1)].tolist()
        assert (first[0], first[-1], second[-1]) == (CLS, SEP, SEP)
        yield first[1:-1], second[:-1]


def test_turns_begin_with_their_speaker():
    dialogue = dialogues.generate(1, 0)[0]
    for turn, tokens in zip(dialogue.turns, recipe.turns(dialogue), strict=True):
        speaker = {"USER": "user", "SYSTEM": "agent"}[turn.speaker]
        assert [names()[token] for token in tokens[:2]] == [speaker, ":"]


class TestDraw:
    def test_half_of_the_pairs_follow(self, texts):
        batch = recipe.draw(texts, 800, 64, rng(0))
        assert within(int(batch.follows.sum()), 800, 1 / 2)

    @pytest.mark.parametrize("longest", [16, 64, 384])
    def test_what_follows_follows_and_what_does_not_is_from_elsewhere(self, texts, longest):
        batch = recipe.draw(texts, 100, longest, rng(0))
        assert batch.tokens.shape == batch.segments.shape
        assert batch.tokens.shape[1] <= longest
        whole = [",".join(map(str, [t for turn in text for t in turn])) for text in texts]
        for (first, second), follows in zip(passages(batch), batch.follows, strict=True):
            assert first
            if follows:
                joined = ",".join(map(str, first + second))
                assert any(joined in text for text in whole)
            elif len(second) > 25:  # long enough not to be in two dialogues by chance
                joined = ",".join(map(str, first + second))
                assert not any(joined in text for text in whole)

    def test_the_same_seed_draws_the_same(self, texts):
        one, other, third = (recipe.draw(texts, 5, 64, rng(seed)).tokens for seed in (1, 1, 2))
        assert torch.equal(one, other)
        assert one.shape != third.shape or not torch.equal(one, third)


class TestHide:
    def test_special_tokens_stay_and_shares_are_kept(self, texts):
        tokens = recipe.draw(texts, 400, 64, rng(0)).tokens
        seen, asked = recipe.hide(tokens, torch.Generator().manual_seed(0))
        special = (tokens == CLS) | (tokens == SEP) | (tokens == PAD)
        assert torch.equal(seen[special], tokens[special])
        assert (asked[special] == UNASKED).all()
        chosen = asked != UNASKED
        n = int(chosen.sum())
        assert within(n, int((~special).sum()), 0.15)
        hidden = seen[chosen] == MASK
        kept = seen[chosen] == tokens[chosen]
        assert within(int(hidden.sum()), n, 0.8)
        assert within(int(kept.sum()), n, 0.1)
        others = seen[chosen][~hidden & ~kept]
        assert int(others.min()) >= len(SPECIAL)
        assert int(others.max()) < SIZE


class TestPretrain:
    def test_the_loss_falls(self, texts):
        losses = []
        recipe.pretrain(texts, steps=60, on_step=lambda _, loss: losses.append(loss), **QUICK)
        assert len(losses) == 60
        assert losses[0] == pytest.approx(math.log(SIZE) + math.log(2), abs=0.3)
        assert sum(losses[-10:]) / 10 < losses[0] - 2

    def test_the_same_seed_trains_the_same_and_torch_s_own_numbers_are_left_alone(self, texts):
        before = torch.get_rng_state()
        one, other, third = (recipe.pretrain(texts, seed, steps=3, **QUICK) for seed in (0, 0, 1))
        assert torch.equal(torch.get_rng_state(), before)
        torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)
        assert not torch.equal(one.bert.words.weight, third.bert.words.weight)
        assert not one.training

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"tokens": 0}, "tokens is 0"),
            ({"steps": 0}, "steps is 0"),
            ({"d_model": 0}, "d_model"),
        ],
    )
    def test_numbers_that_cannot_be(self, texts, given, told):
        with pytest.raises(ValueError, match=told):
            recipe.pretrain(texts, **({"steps": 1} | QUICK | given))

    def test_one_dialogue_alone_has_none_that_does_not_follow(self, texts):
        told = "texts: there are 1; what does not follow needs a second"
        with pytest.raises(ValueError, match=told):
            recipe.pretrain(texts[:1], steps=1, **QUICK)
        with pytest.raises(ValueError, match=told):
            recipe.measure(recipe.pretrain(texts, steps=1, **QUICK), texts[:1])


class TestMeasure:
    def test_it_counts_what_a_model_names(self, texts):
        model = recipe.pretrain(texts, steps=1, **QUICK)
        with torch.no_grad():  # a model that always says the same
            model.word_head.bias[names().index(":")] = 1e3
            model.next_head.bias.copy_(torch.tensor([-1e3, 1e3]))
        score = recipe.measure(model, texts, seed=3, batches=4)
        draws, generator = rng(3), torch.Generator().manual_seed(3)
        named = follows = asked = 0
        for _ in range(4):
            batch = recipe.draw(texts, 16, 128, draws)
            wanted = recipe.hide(batch.tokens, generator)[1]
            named += int((wanted == names().index(":")).sum())
            asked += int((wanted != UNASKED).sum())
            follows += int(batch.follows.sum())
        assert (score.asked, score.pairs) == (asked, 64)
        assert score.words == pytest.approx(named / asked)
        assert score.follows == pytest.approx(follows / 64)
        assert 0 < score.words < 0.2
