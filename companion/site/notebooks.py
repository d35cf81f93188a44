"""Runs chapters and keeps of them what belongs in git: `python -m companion.site.notebooks PATH …`.

Kept: the cells, their tags and claims, and the text that tagged cells print. Dropped: all that changes from
run to run or from machine to machine (counts, times, rich outputs, the kernel's name and version).
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

TAG = "nbval-check-output"
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_CELL_METADATA = {"tags", "claims", "jupyter", "mystnb"}


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook as it is kept in git; one that is so already comes back unchanged."""
    kept = nbformat.from_dict(notebook)
    kept.metadata = nbformat.from_dict({"kernelspec": _KERNEL, "language_info": {"name": "python"}})
    kept.nbformat_minor = 5
    for number, cell in enumerate(kept.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = nbformat.from_dict(
            {name: cell.metadata[name] for name in sorted(cell.metadata) if name in _CELL_METADATA}
        )
        if cell.cell_type == "code":
            cell.outputs = _printed(cell) if TAG in cell.metadata.get("tags", []) else []
            # nbval refuses a cell with outputs that was "never run".
            cell.execution_count = 1 if cell.outputs else None
    return kept


def _printed(cell: NotebookNode) -> list[NotebookNode]:
    """The text outputs of a cell: what it prints, and the text of its value."""
    outputs = []
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            outputs.append(nbformat.v4.new_output("stream", name="stdout", text=output.text))
        elif output.output_type == "execute_result":
            text = {"text/plain": output.data["text/plain"]}
            outputs.append(nbformat.v4.new_output("execute_result", data=text))
    return outputs


def run(path: Path) -> None:
    """Run the notebook at `path` and write it back, normalised."""
    print(f"{path}: running …", flush=True)  # noqa: T201
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=600,
        coalesce_streams=True,  # else the pieces depend on the moment each came in
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    nbformat.write(normalise(notebook), path)


def main() -> None:
    """Run all notebooks under the given paths."""
    for argument in map(Path, sys.argv[1:]):
        found = sorted(argument.rglob("*.ipynb")) if argument.is_dir() else [argument]
        for path in found:
            if ".ipynb_checkpoints" not in path.parts:
                run(path)


if __name__ == "__main__":
    main()
