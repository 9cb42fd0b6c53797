"""`python -m benchmarks NAME`: measure, show, and write JSON and Markdown."""

from __future__ import annotations

import sys

from benchmarks.command import main

if __name__ == "__main__":
    sys.exit(main())
