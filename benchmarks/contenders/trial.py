"""A contender of no weight, to try the harness with.

Arguments: `work`, `squares` (how many to add up), `tell` (a variable to tell the value of).
"""

from __future__ import annotations

import os

from benchmarks.contenders.stopwatch import Stopwatch, arguments


def main() -> None:
    """Add up squares."""
    wanted = arguments()
    watch = Stopwatch()
    total = sum(number * number for number in range(wanted["squares"]))
    told = os.environ.get(wanted.get("tell", ""))
    watch.stop(wanted["work"], argument=wanted, total=total, told=told)


if __name__ == "__main__":
    main()
