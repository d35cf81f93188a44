"""What torch's own Transformer calls its parameters, and what ours calls them.

With it, `companion.transformer` can be given the weights of `torch.nn.Transformer`, or of one of its
layers, and be compared with it: outputs and gradients.
"""

from collections.abc import Mapping

from torch import Tensor

_PARTS = {
    "self_attn": "attention",
    "multihead_attn": "cross_attention",
    "linear1": "feed_forward.widen",
    "linear2": "feed_forward.narrow",
    "norm1": "around_attention.norm",
}


def renamed(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give parameters of a torch layer, or their gradients, the names of ours.

    torch keeps the projections of queries, keys and values in one matrix; ours are three.

    Args:
        parameters: By name, as in the `state_dict()` of `torch.nn.TransformerEncoderLayer`,
            `torch.nn.TransformerDecoderLayer` or `torch.nn.Transformer`.

    Returns:
        The same numbers by our names, as `load_state_dict` takes them.
    """
    ours = {}
    for name, tensor in parameters.items():
        *path, kind = name.split(".")
        where, part = _split(path, parameters)
        if kind.startswith("in_proj_"):
            for projection, third in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                ours[f"{where}{part}.{projection}.{kind.removeprefix('in_proj_')}"] = third
        else:
            ours[f"{where}{part}.{kind}"] = tensor
    return ours


def _split(path: list[str], parameters: Mapping[str, Tensor]) -> tuple[str, str]:
    """Return where a layer is (`encoder_layers.0.`, or nothing) and the part of it, in our names."""
    if len(path) == 2 and path[1] == "norm":  # at the end of a stack
        return "", f"{path[0]}_norm"
    layer, where = [], ""
    if len(path) > 2 and path[1] == "layers":
        layer, where, path = path[:3], f"{path[0]}_layers.{path[2]}.", path[3:]
    part, *rest = path
    if part in {"norm2", "norm3"}:
        has_three = ".".join([*layer, "norm3", "weight"]) in parameters
        between = part == "norm2" and has_three
        return where, f"around_{'cross_attention' if between else 'feed_forward'}.norm"
    return where, _PARTS[part] + (".output" if rest == ["out_proj"] else "")
