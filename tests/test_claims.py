"""The list of settled claims and the cells that settle them are the same."""

import csv
import json
from pathlib import Path

CHAPTERS = Path(__file__).parents[1] / "chapters"


def settled_by_cells():
    for path in CHAPTERS.rglob("*.ipynb"):
        if ".ipynb_checkpoints" in path.parts:
            continue
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            for claim in cell["metadata"].get("claims", []):
                yield claim, cell


def test_every_listed_claim_is_settled_by_a_cell_and_every_cell_s_claim_is_listed():
    rows = list(csv.DictReader((CHAPTERS / "claims.csv").read_text("utf-8").splitlines()))
    listed = [row["id"] for row in rows]
    assert len(listed) == len(set(listed))
    assert set(listed) == {claim for claim, _ in settled_by_cells()}


def test_a_cell_that_settles_a_claim_prints_a_pinned_figure():
    for claim, cell in settled_by_cells():
        assert "nbval-check-output" in cell["metadata"]["tags"], claim
        assert cell["outputs"], claim
