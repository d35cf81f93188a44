"""What is wrong with other Reformers, reproduced here and now: a line each, with versions.

    python benchmarks/peers_defects.py

Each check computes a figure and says what would be right; a defect that does not show is reported as such, and
ours is put through the same where it has the same to do. lucidrains needs `pip install -r requirements-peers.txt`. The
authors' own code, in trax, is left out: it needs several GB of packages of another framework.
"""

import attention_defects
import stack_defects
import torch
from attentions import D_K, HEADS
from peers import installed, missing, versions


def main() -> None:
    """Print a line for each finding."""
    for line in missing():
        print(line)
    print("trax is left out: it needs several GB of packages of another framework")
    print(f"torch {torch.__version__}, fp32, {HEADS} heads of {D_K}\n")
    of_attention = (
        finding
        for check in attention_defects.CHECKS
        for who in attention_defects.ATTENTIONS
        if installed(who)
        for finding in check(who)
    )
    of_stacks = (finding for check in stack_defects.CHECKS for finding in check())
    for findings in (of_attention, of_stacks):
        for finding in findings:
            verdict = "defect" if finding.wrong else "no defect"
            name = versions().get(finding.who, finding.who)
            print(f"{verdict:>9}  {name}: {finding.text}", flush=True)


if __name__ == "__main__":
    main()
