"""How a training shows that it goes on: a bar in a terminal, a bar and a loss curve in a notebook."""

import sys
from collections.abc import Callable

OnStep = Callable[[int, float], None]
_WIDTH, _HEIGHT = 420, 120  # pixels of the curve
_POINTS = 60  # drawings of the curve in a training


def progress(steps: int) -> OnStep:
    """Make an `on_step(step, loss)` for a training of so many steps.

    In a notebook it draws the loss so far, again and again, and takes the drawing away at the end;
    anywhere else it is `bar`.
    """
    return curve(steps) if "ipykernel" in sys.modules else bar(steps)


def bar(steps: int) -> OnStep:
    """Make an `on_step` that draws a progress bar with the loss, on one line of the terminal."""

    def draw(step: int, loss: float) -> None:
        done = 30 * step // steps
        line = f"\r[{'#' * done:<30}] {step}/{steps}  loss {loss:.3f}"
        sys.stderr.write(line + "\n" * (step == steps))
        sys.stderr.flush()

    return draw


def curve(steps: int) -> OnStep:
    """Make an `on_step` that draws the loss as a curve under the cell while the training goes on."""
    from IPython.display import HTML, clear_output, display  # noqa: PLC0415

    losses: list[float] = []

    def draw(step: int, loss: float) -> None:
        losses.append(loss)
        if step == steps:
            clear_output()
        elif step % max(1, steps // _POINTS) == 0:
            clear_output(wait=True)
            display(HTML(_svg(losses, steps)))

    return draw


def _svg(losses: list[float], steps: int) -> str:
    top = max(losses) or 1.0
    points = " ".join(
        f"{_WIDTH * i / steps:.1f},{_HEIGHT * (1 - loss / top):.1f}"
        for i, loss in enumerate(losses)
    )
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT + 20}" role="img" aria-label="loss so far">'
        f'<polyline points="{points}" fill="none" stroke="#5b3fa0" stroke-width="2"/>'
        f'<text x="0" y="{_HEIGHT + 16}" font-size="13" fill="currentColor">'
        f"step {len(losses)} of {steps}, loss {losses[-1]:.3f}</text></svg>"
    )
