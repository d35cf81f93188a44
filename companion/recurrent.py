"""Recurrent networks: a state that is handed from word to word, and what that costs.

In shapes, `n` is the number of words, `d_in` the length of a word's vector, `d` that of a state.
Explained in chapters/week2-transformers/rnn-or-transformer.ipynb.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import jacrev

KINDS = ("recurrent", "convolution", "attention")


class RNNCell(nn.Module):
    """One step of a plain recurrent network: h' = tanh(W_x x + W_h h + b).

    Args:
        d_in: length of a word's vector.
        d: length of the state.

    Source: Elman 1990, "Finding structure in time"; the same function as `torch.nn.RNNCell`.
    """

    def __init__(self, d_in: int, d: int) -> None:
        super().__init__()
        self.d = d
        self.input = nn.Linear(d_in, d)
        self.hidden = nn.Linear(d, d, bias=False)
        _draw_weights(self, d)

    def start(self, batch: int) -> Tensor:
        """Return the state before the first word, (batch, d)."""
        return self.hidden.weight.new_zeros(batch, self.d)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read one word, x (batch, d_in); return the output and the new state, both (batch, d)."""
        h = torch.tanh(self.input(x) + self.hidden(state))  # (batch, d)
        return h, h


class LSTMCell(nn.Module):
    """One step of a long short-term memory: four layers where the plain network has one.

    Args:
        d_in: length of a word's vector.
        d: length of the state.
        forget_bias: added to the forget gate's bias, which begins at 0; 1 or 2 lets an untrained
            cell keep more (Jozefowicz et al. 2015, section 2.2).

    Source: Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000; the same function
    as `torch.nn.LSTMCell`.
    """

    def __init__(self, d_in: int, d: int, *, forget_bias: float = 0.0) -> None:
        super().__init__()
        self.d = d
        self.input = nn.Linear(d_in, 4 * d)
        self.hidden = nn.Linear(d, 4 * d, bias=False)
        _draw_weights(self, d)
        with torch.no_grad():
            self.input.bias.zero_()
            self.input.bias[d : 2 * d] = forget_bias

    def start(self, batch: int) -> tuple[Tensor, Tensor]:
        """Return output and cell before the first word, (batch, d) each."""
        zeros = self.hidden.weight.new_zeros(batch, self.d)
        return zeros, zeros

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Read one word, x (batch, d_in); return the output (batch, d) and the new state."""
        h, cell = state  # (batch, d) each
        parts = (self.input(x) + self.hidden(h)).chunk(4, dim=-1)  # 4 × (batch, d)
        write, forget, output = (torch.sigmoid(parts[i]) for i in (0, 1, 3))
        cell = forget * cell + write * torch.tanh(parts[2])  # (batch, d)
        h = output * torch.tanh(cell)  # (batch, d)
        return h, (h, cell)


def unroll(cell: RNNCell | LSTMCell, x: Tensor) -> Tensor:
    """Read a sentence word by word: each step needs the state of the step before.

    Args:
        cell: takes a word (batch, d_in) and a state; gives an output (batch, d) and a state.
        x: (batch, n, d_in), n at least 1.

    Returns:
        The output after each word, (batch, n, d).

    Raises:
        ValueError: If x has not three axes, or no word.
    """
    if x.dim() != 3 or x.shape[1] == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}: it must be (batch, n, d_in), n at least 1")
    state = cell.start(len(x))
    outputs = []
    for word in x.unbind(dim=1):  # (batch, d_in)
        output, state = cell(word, state)  # (batch, d)
        outputs.append(output)
    return torch.stack(outputs, dim=1)  # (batch, n, d)


def jacobian_norms(read: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """How much the last output reacts to each word: the size of its derivative, by distance.

    Args:
        read: takes (1, n, d_in), gives (1, n, d).
        x: (n, d_in), one sentence.

    Returns:
        Frobenius norms of ∂ output[-1] / ∂ x[-1 - k], (n,); entry k is that of the word k places back.

    Raises:
        ValueError: If x has not two axes.
    """
    if x.dim() != 2:
        raise ValueError(f"x has shape {tuple(x.shape)}: it must be one sentence, (n, d_in)")
    jacobian = jacrev(lambda words: read(words[None])[0, -1])(x)  # (d, n, d_in)
    return jacobian.detach().square().sum(dim=(0, 2)).sqrt().flip(0)  # (n,)


def linear_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Causal attention whose weights are products φ(q)·φ(k), with no softmax: all words at once.

    Args:
        query: (n, d_k).
        key: (n, d_k).
        value: (n, d_v).

    Returns:
        For each word the weighted average of the values up to it, (n, d_v).

    Source: Katharopoulos et al. 2020, "Transformers are RNNs", equations 8 and 9, φ = elu + 1.
    """
    weights = (_positive(query) @ _positive(key).T).tril()  # (n, n)
    return weights @ value / weights.sum(dim=-1, keepdim=True)  # (n, d_v)


def linear_attention_recurrent(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return the same as `linear_attention`, word by word, with a state of fixed size.

    Source: Katharopoulos et al. 2020, https://arxiv.org/abs/2006.16236, equations 16 to 20; a trained
    Transformer is turned into it by Kasai et al. 2021, https://arxiv.org/abs/2103.13076.
    """
    state = value.new_zeros(key.shape[-1], value.shape[-1])  # (d_k, d_v)
    total = value.new_zeros(key.shape[-1])  # (d_k,)
    outputs = []
    for q, k, v in zip(_positive(query), _positive(key), value, strict=True):
        state = state + torch.outer(k, v)  # (d_k, d_v)
        total = total + k  # (d_k,)
        outputs.append(q @ state / (q @ total))  # (d_v,)
    return torch.stack(outputs)  # (n, d_v)


def sequential_steps(kind: str, n: int, n_layers: int = 1, *, generating: bool = False) -> int:
    """How many steps must wait for one another, however many processors there are.

    Reading, all words are known: a layer of attention or convolution takes one step, and a recurrent
    layer follows one word behind the layer below. Generating, each word goes through all layers
    before the next can begin.

    Raises:
        ValueError: If `kind` is none of `KINDS`.
    """
    _check_kind(kind)
    if generating:
        return n * n_layers
    return n + n_layers - 1 if kind == "recurrent" else n_layers


def path_length(kind: str, distance: int, kernel: int = 3) -> int:
    """How often a word is handed on until it has come `distance` places further.

    A recurrent network hands it on from word to word, a convolution half a kernel a layer, attention at once.

    Raises:
        ValueError: If `kind` is none of `KINDS`, or the kernel is even or below 3.
    """
    _check_kind(kind)
    if kernel < 3 or kernel % 2 == 0:
        raise ValueError(f"kernel is {kernel}: it must be odd and at least 3")
    if kind == "attention":
        return min(distance, 1)
    return distance if kind == "recurrent" else math.ceil(distance / (kernel // 2))


def multiplications(part: str, n: int, d: int) -> int:
    """Multiplications in the matrix products of one layer, n words of d numbers.

    Parts: "recurrent" (W_x x and W_h h), "lstm" (four times that), "looking" (Q Kᵀ and weights times V),
    "projections" (Q, K, V and output), "feed-forward" (d to 4 d and back).
    """
    each = {"recurrent": 2, "lstm": 8, "projections": 4, "feed-forward": 8}
    return 2 * n * n * d if part == "looking" else each[part] * n * d * d


def _positive(x: Tensor) -> Tensor:
    """φ: makes every number positive, so that no weight is negative."""
    return nn.functional.elu(x) + 1


def _draw_weights(cell: nn.Module, d: int) -> None:
    """Draw from ±1/√d, as torch's recurrent layers do."""
    for parameter in cell.parameters():
        nn.init.uniform_(parameter, -1 / math.sqrt(d), 1 / math.sqrt(d))


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}: it must be one of {', '.join(KINDS)}")
