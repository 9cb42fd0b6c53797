"""Copy what the benchmark of serving measured into docs/serving.md.

With `--check`, write nothing and fail where the page and the file differ.
"""

from __future__ import annotations

import json
import sys

from blocks import keep, table
from speed import BENCHMARKS, ROOT, spread

PAGE = ROOT / "docs" / "serving.md"
COLUMNS = {
    "answers_per_second": "answers/s",
    "p50_ms": "p50, ms",
    "p95_ms": "p95, ms",
    "p99_ms": "p99, ms",
}


def load() -> str:
    """Answers a second and latency by the number of clients."""
    found = json.loads((BENCHMARKS / "serving.json").read_text())
    summary, machine = found["summary"], found["machine"]
    rows = [["", *COLUMNS.values(), "answered", "turned away", "wrong", "lost"]]
    for name, case in summary["cases"].items():
        codes = dict(case["codes"])
        counts = [codes.pop("200", 0), codes.pop("503", 0), case["wrong"], case["lost"]]
        if codes:
            sys.exit(f"{name}: answers of other codes: {codes}")
        rows.append([name, *(spread(case[key]) for key in COLUMNS), *(f"{n:,}" for n in counts)])
    words = (
        f"The model is `{summary['model']}` on {summary['photographs']} photographs. Median and "
        f"range of {found['settings']['rounds']} rounds; counts are of all rounds together. "
        f"Measured {machine['date']} on {machine['cores']} cores of an {machine['cpu']}, "
        f"{machine['memory_gib']} GB, no GPU, which clients and server share."
    )
    return f"{table(rows, numbers=range(1, len(rows[0])))}\n\n{words}"


def main() -> None:
    keep(PAGE, {"load": load}, source="artifacts/reference")


if __name__ == "__main__":
    main()
