"""What all exercises share: calling a reader's function, and saying what is wrong with it."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

# Wide enough for the rounding of any correct way to compute float32, and far below the difference
# that a mistake makes on inputs of size 1.
TOLERANCE = 1e-4


class WrongAnswerError(Exception):
    """What is wrong with a reader's function, and a hint."""

    def __init__(self, found: str, hint: str) -> None:
        super().__init__(f"{found} Hint: {hint}")


@dataclass(frozen=True)
class Mistake:
    """A common mistake: the result it gives, what to say of it, and a hint."""

    result: Callable[..., Tensor]
    found: str
    hint: str


def call(function: Callable[..., Tensor], arguments: tuple, on: str, hint: str) -> Tensor:
    """Call the reader's function; anything but a tensor is a wrong answer."""
    if not callable(function):
        raise WrongAnswerError(
            f"got {_type_name(function)}, not a function.",
            "Hand over the name of your function, without parentheses behind it.",
        )
    try:
        # A warning would stand in front of the line that says what is wrong.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function(*arguments)
    except Exception as error:  # noqa: BLE001
        if isinstance(error, TypeError) and "argument" in str(error):
            hint = "Compare the arguments that your function takes with those that the task names."
        said = " ".join(str(error).split()).rstrip(".")
        message = f"{type(error).__name__}: {said}" if said else type(error).__name__
        raise WrongAnswerError(f"raised {message}, on {on}.", hint) from None
    if result is None:
        raise WrongAnswerError("returned None.", "End with `return` and your result.")
    if isinstance(result, (tuple, list)):
        raise WrongAnswerError(
            f"returned {_type_name(result)} of {len(result)}, where one tensor is expected.",
            "Return one result alone.",
        )
    if not isinstance(result, Tensor):
        raise WrongAnswerError(
            f"returned {_type_name(result)}, where a torch.Tensor is expected.",
            "Stay with torch's functions from the inputs to the result.",
        )
    return result.detach()


def _type_name(thing: object) -> str:
    module = type(thing).__module__
    name = type(thing).__qualname__
    return name if module == "builtins" else f"{module}.{name}"


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two results agree, up to rounding."""
    return one.shape == other.shape and difference(one, other) <= TOLERANCE


def difference(one: Tensor, other: Tensor) -> float:
    """Return the largest difference of two results of one shape."""
    return (one.double() - other.double()).abs().max().item()
