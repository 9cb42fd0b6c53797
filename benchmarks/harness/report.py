"""The report of a benchmark: tables for people in Markdown and the terminal, all rounds in JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from benchmarks.harness.machine import describe_machine
from benchmarks.harness.measurement import Measurement
from benchmarks.harness.rounds import Round
from featkit.files import write_json

__all__ = ["Report", "Table"]


@dataclass(frozen=True)
class Table:
    """A table for people.

    Attributes:
        title: What is compared.
        columns: Their names; the first one names the rows.
        rows: Texts, as many a row as there are columns.
        notes: What must be known to read it, a sentence each.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def markdown(self) -> str:
        """Return the table as Markdown, numbers to the right."""
        lines = [
            _line(self.columns),
            _line(["---", *["---:"] * (len(self.columns) - 1)]),
            *(_line(row) for row in self.rows),
        ]
        notes = "".join(f"\n{note}" for note in self.notes)
        return f"## {self.title}\n\n" + "\n".join(lines) + "\n" + notes + ("\n" if notes else "")

    def rich(self) -> RichTable:
        """Return the table for a terminal."""
        table = RichTable(title=self.title, caption="\n".join(map(escape, self.notes)) or None)
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*map(escape, row))
        return table


@dataclass
class Report:
    """What a benchmark found.

    Attributes:
        name: The benchmark.
        settings: What it was asked for, JSON-like.
        tables: For people.
        summary: The numbers of the tables, by case and name, JSON-like: what documents quote.
        raw: Every measurement of every round and trial, by case.
        machine: Hardware, versions and date.
        plots: Functions that draw a plot into the path that they are given, by file name.
    """

    name: str
    settings: Mapping[str, object]
    tables: list[Table] = field(default_factory=list)
    summary: dict[str, object] = field(default_factory=dict)
    raw: dict[str, object] = field(default_factory=dict)
    machine: Mapping[str, object] = field(default_factory=describe_machine)
    plots: dict[str, Callable[[Path], None]] = field(default_factory=dict)

    def keep(
        self,
        case: str,
        rounds: Sequence[Round],
        trials: Mapping[str, Sequence[Measurement]] | None = None,
    ) -> None:
        """Keep the measurements of a case.

        Args:
            case: Its name.
            rounds: What each contender did in each round.
            trials: What each did before the rounds.
        """
        self.raw[case] = {
            "rounds": [{name: m.to_dict() for name, m in each.items()} for each in rounds],
            "trials": {name: [m.to_dict() for m in ms] for name, ms in (trials or {}).items()},
        }

    def markdown(self) -> str:
        """Return all tables, with the machine and the settings below them."""
        tables = "\n".join(table.markdown() for table in self.tables)
        return f"# Benchmark: {self.name}\n\n{tables}\n{self._circumstances()}\n"

    def to_dict(self) -> dict[str, object]:
        """Return all but the plots, JSON-like."""
        return {
            "benchmark": self.name,
            "machine": self.machine,
            "settings": self.settings,
            "summary": self.summary,
            "tables": [asdict(table) for table in self.tables],
            "raw": self.raw,
        }

    def write(self, folder: Path) -> list[Path]:
        """Write `NAME.json`, `NAME.md` and the plots, and return their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        data, text = folder / f"{self.name}.json", folder / f"{self.name}.md"
        write_json(data, self.to_dict())
        text.write_text(self.markdown(), encoding="utf-8")
        for name, draw in self.plots.items():
            draw(folder / name)
        return [data, text, *(folder / name for name in self.plots)]

    def show(self, console: Console) -> None:
        """Print all tables."""
        for table in self.tables:
            console.print(table.rich())
        console.print(self._circumstances(), highlight=False)

    def _circumstances(self) -> str:
        machine = self.machine
        versions = machine.get("versions")
        named = versions if isinstance(versions, Mapping) else {}
        software = ", ".join(f"{name} {number}" for name, number in named.items())
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return (
            f"Measured {machine.get('date')} on {machine.get('cores')} cores of "
            f"{machine.get('cpu')}, {machine.get('memory_gib')} GiB, GPU: "
            f"{machine.get('gpu') or 'none'}; {software}. Settings: {settings}."
        )


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
