"""Arrays as widgets hold and send them: compact bytes, never lists of numbers."""

from typing import Any

import numpy as np
import traitlets


def to_numpy(values: Any) -> np.ndarray:  # noqa: ANN401
    """Return a tensor (any device, with or without gradient), array or nested list as float32."""
    if hasattr(values, "detach"):
        values = values.detach().float().cpu().numpy()
    return np.asarray(values, dtype=np.float32)


def _encode(array: np.ndarray | None, _owner: object = None) -> dict | None:
    if array is None:
        return None
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": little.tobytes()}


class Array(traitlets.Instance):
    """A synced trait that holds a float16 or float32 array, or None.

    The module reads it with `readArray` of lib/array.js, in both hosts.
    """

    def __init__(self) -> None:
        super().__init__(np.ndarray, allow_none=True)
        self.tag(sync=True, to_json=_encode)

    def validate(self, obj: object, value: object) -> np.ndarray | None:
        """Refuse what the browser could not read."""
        array = super().validate(obj, value)
        if array is not None and array.dtype.name not in {"float16", "float32"}:
            raise traitlets.TraitError(
                f"{self.name}: an array of float16 or float32 is needed, not {array.dtype}"
            )
        return array
