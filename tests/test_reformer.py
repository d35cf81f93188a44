"""The Reformer as a language model."""

import pytest
import torch
from torch.nn import functional

from companion.reformer import AxialPositions, Reformer, TablePositions, chunked_cross_entropy
from companion.reformer_layers import LocalSelfAttention, LSHSelfAttention

TOKENS = 11
SIZES = {"d_model": 16, "n_heads": 4, "n_layers": 3, "d_ff": 32, "chunk": 8, "rows": 10}


def seeded(function, *arguments):
    torch.manual_seed(1)
    return function(*arguments)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Reformer(TOKENS, 64, rounds=2, dropout=0.1, **SIZES).double()


@pytest.fixture
def text():
    torch.manual_seed(2)
    return torch.randint(0, TOKENS, (2, 60))


class TestAxialPositions:
    def test_half_is_the_row_and_half_the_column(self):
        positions = AxialPositions(10, 6)  # 3 rows of 4
        vectors = positions(10)
        assert vectors.shape == (10, 6)
        for p, vector in enumerate(vectors):
            assert torch.equal(vector[:3], positions.row[p // 4])
            assert torch.equal(vector[3:], positions.column[p % 4])

    def test_a_shorter_text_gets_the_first(self):
        positions = AxialPositions(10, 6)
        for length in range(1, 11):
            assert torch.equal(positions(length), positions(10)[:length])

    @pytest.mark.parametrize("longest", [1, 2, 5, 9, 1000])
    def test_no_two_are_alike(self, longest):
        vectors = AxialPositions(longest, 4)(longest)
        assert len(vectors.unique(dim=0)) == longest

    def test_a_million_take_two_thousand_rows(self):
        positions = AxialPositions(2**20, 4)
        assert len(positions.row) + len(positions.column) == 2048

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: AxialPositions(0, 4), "longest is 0: it must be at least 1"),
            (lambda: AxialPositions(4, 5), "d_model is 5; it must be even"),
            (lambda: AxialPositions(4, 4)(5), "length is 5; there are positions for 1 to 4"),
            (lambda: AxialPositions(4, 4)(0), "length is 0"),
        ],
    )
    def test_what_will_not_do_is_said(self, make, message):
        with pytest.raises(ValueError, match=message):
            make()


class TestTablePositions:
    def test_a_row_a_position(self):
        positions = TablePositions(10, 5)
        assert torch.equal(positions(7), positions.weight[:7])
        assert positions(10).unique(dim=0).shape == (10, 5)

    def test_what_will_not_do_is_said(self):
        with pytest.raises(ValueError, match="longest is 0: it must be at least 1"):
            TablePositions(0, 4)
        with pytest.raises(ValueError, match="length is 5; there are positions for 1 to 4"):
            TablePositions(4, 4)(5)


class TestReformer:
    def test_scores_every_next_token(self, model, text):
        assert model(text).shape == (2, 60, TOKENS)
        assert model(text[:, :1]).shape == (2, 1, TOKENS)

    def test_the_loss_is_the_cross_entropy_of_the_scores(self, model, text):
        """With its gradients, dropout on."""
        targets = text.roll(-1, dims=1)
        targets[0, :7] = -100
        loss = seeded(model.loss, text, targets)
        scores = seeded(model, text)
        plain = functional.cross_entropy(scores.flatten(0, 1), targets.flatten())
        torch.testing.assert_close(loss, plain)
        parameters = list(model.parameters())
        for one, other in zip(
            torch.autograd.grad(loss, parameters),
            torch.autograd.grad(plain, parameters),
            strict=True,
        ):
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
        with torch.no_grad():
            torch.testing.assert_close(seeded(model.loss, text, targets), plain)

    def test_gradients_are_those_of_plain_autograd(self, text):
        """The stack against its blocks run by autograd, with attention on all, so that nothing is drawn."""
        torch.manual_seed(0)
        model = Reformer(TOKENS, 64, **{**SIZES, "chunk": 60}).double()
        parameters = list(model.parameters())
        found = torch.autograd.grad(model(text).square().sum(), parameters)
        x1 = x2 = model.words(text) + model.positions(60)
        for block in model.stack.blocks:
            x1, x2 = block(x1, x2)
        plain = torch.autograd.grad(model.head((x1 + x2) / 2).square().sum(), parameters)
        for one, other in zip(found, plain, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)

    @pytest.mark.parametrize(
        "how",
        [
            {},
            {"in_place": True},
            {"axial": False},
            {"tied": True},
            {"window": 4},
            {"masked": True, "n_buckets": 4},
        ],
    )
    def test_it_learns(self, how):
        """To say the same over and over."""
        torch.manual_seed(0)
        model = Reformer(TOKENS, 64, **how, **SIZES)
        adam = torch.optim.Adam(model.parameters(), lr=1e-2)
        said = (torch.arange(61) % 5)[None]
        losses = []
        for _ in range(60):
            adam.zero_grad()
            loss = model.loss(said[:, :-1], said[:, 1:])
            loss.backward()
            adam.step()
            losses.append(loss.item())
        assert losses[0] > 2
        assert losses[-1] < 0.2

    def test_under_a_mask_it_gives_the_same(self, text):
        sizes = {**SIZES, "rounds": 2, "n_buckets": 6, "window": 4}
        plain = Reformer(TOKENS, 64, cut="bucket", **sizes).double()
        masked = Reformer(TOKENS, 64, masked=True, **sizes).double()
        masked.load_state_dict(plain.state_dict())
        expected, found = (
            seeded(model.loss, text[:, :-1], text[:, 1:]) for model in (plain, masked)
        )
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
        for one, other in zip(
            torch.autograd.grad(found, list(masked.parameters())),
            torch.autograd.grad(expected, list(plain.parameters())),
            strict=True,
        ):
            torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-11)

    def test_with_a_window_every_second_block_looks_nearby(self):
        model = Reformer(TOKENS, 64, window=4, **SIZES)
        kinds = [type(block.f) for block in model.stack.blocks]
        assert kinds == [LocalSelfAttention, LSHSelfAttention, LocalSelfAttention]

    def test_a_tied_table_is_one_weight_with_both_gradients(self, text):
        model = Reformer(TOKENS, 64, tied=True, **{**SIZES, "chunk": 60}).double()
        assert model.head[1].weight is model.words.weight
        targets = text.roll(-1, dims=1)
        scores = model(text)
        plain = functional.cross_entropy(scores.flatten(0, 1), targets.flatten())
        (expected,) = torch.autograd.grad(plain, [model.words.weight])
        (found,) = torch.autograd.grad(model.loss(text, targets), [model.words.weight])
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)

    def test_with_cut_buckets_nothing_later_changes_what_came_before(self, text):
        torch.manual_seed(0)
        model = Reformer(TOKENS, 64, cut="bucket", n_buckets=8, **SIZES).eval()
        before = seeded(model, text)
        for changed in (59, 40, 7):
            other = text.clone()
            other[:, changed] = (other[:, changed] + 1) % TOKENS
            after = seeded(model, other)
            assert torch.equal(before[:, :changed], after[:, :changed])
            assert not torch.equal(before[:, changed], after[:, changed])

    @pytest.mark.parametrize(
        ("tokens", "message"),
        [
            (torch.tensor([[0, TOKENS]]), f"from 0 to {TOKENS}; they must be 0 to {TOKENS - 1}"),
            (torch.tensor([[-1, 0]]), "from -1 to 0"),
            (torch.zeros(1, 4), "tokens are torch.float32"),
            (torch.zeros(1, 0, dtype=torch.long), "at least one"),
            (torch.zeros(1, 65, dtype=torch.long), "length is 65; there are positions for 1 to 64"),
        ],
    )
    def test_tokens_that_will_not_do(self, model, tokens, message):
        with pytest.raises(ValueError, match=message):
            model(tokens)

    def test_targets_that_will_not_do(self, model, text):
        with pytest.raises(ValueError, match=r"targets have the shape \(2, 59\)"):
            model.loss(text, text[:, 1:])
        with pytest.raises(ValueError, match="targets are all -100"):
            model.loss(text, torch.full_like(text, -100))

    def test_no_tokens_at_all(self):
        with pytest.raises(ValueError, match="n_tokens is 0: it must be at least 1"):
            Reformer(0, 64, **SIZES)


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_the_chunked_loss_does_not_depend_on_the_chunks(rows):
    torch.manual_seed(0)
    head = torch.nn.Linear(4, TOKENS).double()
    y1, y2 = torch.randn(2, 2, 15, 4, dtype=torch.float64).requires_grad_().unbind()
    targets = torch.randint(0, TOKENS, (2, 15))
    wanted = [y1, y2, *head.parameters()]
    plain = functional.cross_entropy(head((y1 + y2) / 2).flatten(0, 1), targets.flatten())
    loss = chunked_cross_entropy(head, y1, y2, targets, rows)
    torch.testing.assert_close(loss, plain)
    for one, other in zip(
        torch.autograd.grad(3 * loss, wanted), torch.autograd.grad(3 * plain, wanted), strict=True
    ):
        torch.testing.assert_close(one, other)
