"""Checks of the functions that a reader writes, with hints.

`check("attention", my_function)` calls the reader's function on small random inputs, the same ones
every time, and prints one line. A wrong result is compared with the results that common mistakes
would give, so that the hint can be about the mistake made.
"""

from companion.exercises.registry import EXERCISES, check
from companion.exercises.trial import TOLERANCE

__all__ = ["EXERCISES", "TOLERANCE", "check"]
