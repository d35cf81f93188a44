"""A translator whose one vector is the sum of what was said of all words."""

from torch import Tensor

from companion.seq2seq import Seq2Seq


class Summed(Seq2Seq):
    """Begins with the sum of the encoder's outputs, in place of the last one; else a `Seq2Seq`."""

    def summary(self, memory: Tensor, _hidden: Tensor, _cell: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sum of memory, (batch, n_source, d_memory), over all words, twice."""
        total = memory.sum(dim=1)  # (batch, d_memory); padding adds zeros
        return total, total
