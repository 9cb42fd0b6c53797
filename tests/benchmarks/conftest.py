from io import StringIO

import pytest
from rich.console import Console

from benchmarks.harness import Watcher


@pytest.fixture
def said():
    return StringIO()


@pytest.fixture
def watcher(said):
    return Watcher(Console(file=said, width=150))
