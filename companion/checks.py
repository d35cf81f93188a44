"""What the numbers that a caller gives have to be, and the error if one is not."""


def at_least_one(**sizes: int) -> None:
    """Raise ValueError, naming it, if a size is below 1."""
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}: it must be at least 1")


def above_zero(**numbers: float) -> None:
    """Raise ValueError, naming it, if a number is not above 0."""
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name} is {number}: it must be above 0")
