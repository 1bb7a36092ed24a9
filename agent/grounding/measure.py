"""How many made-up wrong answers the grounding check catches, and how many right ones it lets pass.

    python -m storewise.agent.grounding.measure [FOLDER]

FOLDER holds wrong.jsonl, right.jsonl and findings.jsonl (default: the cases of the test suite). Prints
one JSON line: per file, half and kind, [judged right, all].
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storewise.agent.grounding.verdict import Verdict, check
from storewise.tools.finding import Finding

DEFAULT = Path("tests/agent/grounding/cases")


def judged(folder: Path, name: str) -> Iterator[tuple[dict[str, Any], Verdict]]:
    """Yield each case of `name`.jsonl in `folder` with the verdict on its answer."""
    lines = (folder / "findings.jsonl").read_text(encoding="utf-8").splitlines()
    findings = {row["id"]: Finding.model_validate(row["finding"]) for row in map(json.loads, lines)}
    for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        now = [findings[one] for one in case["findings"]]
        before = [findings[one] for one in case.get("earlier", [])]
        yield case, check(case["answer"], now, case["question"], before)


def half(case: dict[str, Any]) -> str:
    """Return which half a case belongs to: odd ids are for development, even ids are held out."""
    return "development" if case["id"] % 2 else "held_out"


def measure(folder: Path) -> dict[str, Any]:
    """Return the counts of both files: all, by half and by kind, each as [judged right, all]."""
    counts: dict[str, Any] = {}
    for name, wanted in (("wrong", False), ("right", True)):
        total = counts.setdefault(
            name, {"all": [0, 0], "development": [0, 0], "held_out": [0, 0], "kinds": {}}
        )
        for case, verdict in judged(folder, name):
            for tally in (total["all"], total[half(case)], total["kinds"].setdefault(case["kind"], [0, 0])):
                tally[0] += verdict.grounded is wanted
                tally[1] += 1
    return counts


def main(arguments: list[str]) -> int:
    """Print the counts as one JSON line."""
    folder = Path(arguments[0]) if arguments else DEFAULT
    missing = [name for name in ("wrong", "right", "findings") if not (folder / f"{name}.jsonl").is_file()]
    if missing:
        print(
            f"{folder} lacks {missing[0]}.jsonl: give the folder of the cases as the argument.",
            file=sys.stderr,
        )
        return 2
    print(json.dumps(measure(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
