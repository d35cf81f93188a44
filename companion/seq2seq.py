"""Sequence to sequence with LSTMs: an encoder reads, a decoder writes, with or without attention.

In shapes, `n_source` and `n` are the numbers of words of source and target, `d` the length of an
LSTM's state, and `d_memory` that of what the encoder says of a word: d, or 2 d if it reads both ways.
Padding stands at the end of a sentence. The decoder is asked for word after word as `companion.steps`
tells.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from companion.alignment import scorer, soft_look_up
from companion.checks import at_least_one
from companion.recurrent import LSTMCell


@dataclass(frozen=True)
class State:
    """What the decoder knows before its next word: in every tensor a row for each sentence.

    Attributes:
        memory: (batch, n_memory, d_memory), what may be looked at: what the encoder says of each word;
            without attention only the last of it, n_memory = 1.
        keys: (batch, n_memory, …), the memory as the score has prepared it.
        mask: boolean, (batch, n_memory): False where there is padding.
        hidden: (batch, d), the LSTM's output, s_{i-1}.
        cell: (batch, d), its cell.
        weights: (batch, n_memory), how much the last step looked at each; zeros before the first.
    """

    memory: Tensor
    keys: Tensor
    mask: Tensor
    hidden: Tensor
    cell: Tensor
    weights: Tensor


class Encoder(nn.Module):
    """Reads a sentence with an LSTM, and says something of every word.

    Args:
        n_words: number of words in the vocabulary.
        d_embedding: length of a word's vector.
        d: length of the state.
        both_ways: whether a second LSTM reads from the end.
        dropout: share of the numbers of word vectors that is hidden in training.
        pad: the number of the word that fills up a batch.

    Raises:
        ValueError: If a size is not positive, or dropout not from 0 to 1.

    Source: Sutskever et al. 2014, https://arxiv.org/abs/1409.3215, section 2; both ways: Bahdanau et
    al. 2015, https://arxiv.org/abs/1409.0473, section 3.2.
    """

    def __init__(
        self,
        n_words: int,
        d_embedding: int,
        d: int,
        *,
        both_ways: bool = False,
        dropout: float = 0.0,
        pad: int = 0,
    ) -> None:
        super().__init__()
        at_least_one(n_words=n_words, d_embedding=d_embedding, d=d)
        self.pad = pad
        self.d_memory = 2 * d if both_ways else d
        self.embedding = nn.Embedding(n_words, d_embedding, padding_idx=pad)
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(d_embedding, d, batch_first=True, bidirectional=both_ways)

    def forward(self, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read sentences.

        Args:
            source: (batch, n_source), numbers of words, padding at the end.

        Returns:
            What is said of each word, (batch, n_source, d_memory), zeros for padding; and output and
            cell after the last word, (batch, d_memory) each. (The LSTM that reads from the end has
            its last word at the beginning.)

        Raises:
            ValueError: If source has not two axes, a sentence has no word, or a word after padding.
        """
        lengths = self._lengths(source)
        # Packed, so that the LSTM from the end begins at each sentence's own last word.
        packed = pack_padded_sequence(
            self.dropout(self.embedding(source)), lengths, batch_first=True, enforce_sorted=False
        )
        outputs, (hidden, cell) = self.lstm(packed)  # hidden, cell: (directions, batch, d)
        memory, _ = pad_packed_sequence(outputs, batch_first=True, total_length=source.shape[1])
        return memory, _side_by_side(hidden), _side_by_side(cell)

    def _lengths(self, source: Tensor) -> Tensor:
        if source.dim() != 2 or source.shape[1] == 0:
            raise ValueError(
                f"source has shape {tuple(source.shape)}: it must be (batch, n_source), n_source at "
                "least 1"
            )
        words = source != self.pad  # (batch, n_source)
        lengths = words.sum(dim=1)  # (batch,)
        if (lengths == 0).any():
            row = (lengths == 0).nonzero()[0].item()
            raise ValueError(f"source has no word in row {row}: each sentence needs one")
        if (words[:, 1:] & ~words[:, :-1]).any():
            row = (words[:, 1:] & ~words[:, :-1]).any(dim=1).nonzero()[0].item()
            raise ValueError(
                f"source has padding before a word in row {row}: it must come at the end"
            )
        return lengths.cpu()


def _side_by_side(last: Tensor) -> Tensor:
    return last.transpose(0, 1).flatten(start_dim=1)  # (batch, d_memory)


class Seq2Seq(nn.Module):
    """An encoder, and a decoder that writes one word after the other.

    At every step the decoder is told its last word and a *context*: with attention, what it has just
    looked up in all that the encoder said; without, always the same vector, the encoder's last. So the
    two differ in nothing but the score that attention needs.

    Args:
        n_source: number of words in the source vocabulary.
        n_target: number of words in the target vocabulary.
        d_embedding: length of a word's vector.
        d: length of the states of encoder and decoder.
        attention: "additive", "multiplicative", "dot" or None for none.
        both_ways: whether the encoder reads both ways.
        dropout: share of the numbers hidden in training, in word vectors and before the output layer.
        pad: the number of the word that fills up a batch, the same in both vocabularies.

    Raises:
        ValueError: If a size is not positive, dropout not from 0 to 1, attention is none of these, or
            "dot" and both_ways go together: states of d and 2 d numbers have no dot product.

    Source: without attention, Cho et al. 2014, https://arxiv.org/abs/1406.1078, section 2.2 (a context at
    every step), with LSTMs as Sutskever et al. 2014; with attention, Bahdanau et al. 2015, section 3 and
    appendix A, where the units are GRUs and the output layer a maxout.
    """

    def __init__(
        self,
        n_source: int,
        n_target: int,
        *,
        d_embedding: int = 64,
        d: int = 128,
        attention: str | None = "additive",
        both_ways: bool = False,
        dropout: float = 0.0,
        pad: int = 0,
    ) -> None:
        super().__init__()
        at_least_one(n_target=n_target)
        options = {"both_ways": both_ways, "dropout": dropout, "pad": pad}
        self.encoder = Encoder(n_source, d_embedding, d, **options)
        d_memory = self.encoder.d_memory
        self.score = None if attention is None else scorer(attention, d, d_memory)
        self.embedding = nn.Embedding(n_target, d_embedding, padding_idx=pad)
        self.first_hidden = nn.Linear(d_memory, d)
        self.first_cell = nn.Linear(d_memory, d)
        self.lstm = LSTMCell(d_embedding + d_memory, d, forget_bias=1.0)
        self.readout = nn.Linear(d + d_memory, d_embedding)
        self.output = nn.Linear(d_embedding, n_target)
        self.dropout = nn.Dropout(dropout)

    def read(self, source: Tensor) -> State:
        """Read sentences, and get ready to write.

        Args:
            source: (batch, n_source), numbers of words, padding at the end.

        Raises:
            ValueError: As for `Encoder`.
        """
        memory, *after_last = self.encoder(source)
        hidden, cell = self.summary(memory, *after_last)  # (batch, d_memory) each
        mask = source != self.encoder.pad  # (batch, n_source)
        if self.score is None:
            memory, mask = hidden[:, None], mask[:, :1]  # (batch, 1, d_memory), (batch, 1)
        return State(
            memory=memory,
            keys=memory if self.score is None else self.score.prepare(memory),
            mask=mask,
            hidden=torch.tanh(self.first_hidden(hidden)),  # (batch, d)
            cell=self.first_cell(cell),  # (batch, d)
            weights=torch.zeros_like(mask, dtype=memory.dtype),
        )

    def summary(self, memory: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """Return what the decoder begins with, of (batch, d_memory) each: output and cell after the last word.

        Args:
            memory: (batch, n_source, d_memory), what is said of each word, zeros for padding.
            hidden: (batch, d_memory), the output after the last word.
            cell: (batch, d_memory), the cell after the last word.
        """
        return hidden, cell

    def look(self, state: State) -> tuple[Tensor, Tensor]:
        """Return the context, (batch, d_memory), and the weights, (batch, n_memory), of the next step.

        Source: Bahdanau et al. 2015, section 3.1: e_ij = a(s_{i-1}, h_j).
        """
        if self.score is None:
            return state.memory[:, 0], torch.ones_like(state.weights)
        scores = self.score.compare(state.hidden[:, None], state.keys)  # (batch, 1, n_memory)
        context, weights = soft_look_up(scores, state.memory, state.mask[:, None])
        return context[:, 0], weights[:, 0]

    def step(self, words: Tensor, state: State) -> tuple[Tensor, State]:
        """Take the last word, and score the next.

        Args:
            words: (batch,), the last word of each sentence.
            state: as `read` or the step before gave it.

        Returns:
            The logits, (batch, n_target), and the next state, whose weights say where this step looked.
        """
        context, state = self._advance(self.embedding(words), state)
        return self._logits(state.hidden, context), state

    def forced(self, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Read the source, and score each next word of the target, whatever was scored before.

        This is *teacher forcing*: the decoder is told the right words, not its own.

        Args:
            source: (batch, n_source).
            target: (batch, n): a start word, and the sentence without its last word.

        Returns:
            The logits, (batch, n, n_target), and the weights, (batch, n, n_memory).

        Raises:
            ValueError: If target has not two axes, or another number of sentences than source, or as
                for `Encoder`.
        """
        if target.dim() != 2 or target.shape[1] == 0 or len(target) != len(source):
            raise ValueError(
                f"target has shape {tuple(target.shape)} and source {tuple(source.shape)}: target must "
                "be (batch, n), n at least 1, with as many sentences"
            )
        state = self.read(source)
        states, contexts, weights = [], [], []
        for word in self.dropout(self.embedding(target)).unbind(dim=1):  # (batch, d_embedding)
            context, state = self._advance(word, state)
            states.append(state.hidden)
            contexts.append(context)
            weights.append(state.weights)
        hidden, context = torch.stack(states, dim=1), torch.stack(contexts, dim=1)  # (batch, n, …)
        return self._logits(hidden, context), torch.stack(weights, dim=1)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the logits of `forced`, (batch, n, n_target)."""
        return self.forced(source, target)[0]

    def _advance(self, word: Tensor, state: State) -> tuple[Tensor, State]:
        context, weights = self.look(state)
        told = torch.cat([word, context], dim=-1)  # (batch, d_embedding + d_memory)
        hidden, (_, cell) = self.lstm(told, (state.hidden, state.cell))  # (batch, d) each
        return context, replace(state, hidden=hidden, cell=cell, weights=weights)

    def _logits(self, hidden: Tensor, context: Tensor) -> Tensor:
        both = torch.cat([hidden, context], dim=-1)  # (..., d + d_memory)
        return self.output(self.dropout(torch.tanh(self.readout(both))))  # (..., n_target)
