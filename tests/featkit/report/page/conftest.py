"""Small folders of Runs, and a reader of HTML that knows what a page must keep to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from featkit.experiment import Design, ImageTable, fold_test, plan_of
from featkit.plans import Plan
from featkit.runs import Cost, HeldOut, Run, RunKey, RunStore

VOID = {"meta", "img", "br", "link", "input"}
FROZEN, TUNED = ("linear", "mlp"), ("finetune-full",)


def make_plan(classes: Sequence[str], lesions: int = 8) -> Plan:
    """Return a Plan of two folds, every class with as many lesions, two images each."""
    label = np.repeat(np.arange(len(classes), dtype=np.int16), 2 * lesions)
    count = len(label)
    table = ImageTable(
        "toy",
        image_id=np.array([f"I{row:04d}" for row in range(count)]),
        label=label,
        group=np.array([f"L{row // 2:04d}" for row in range(count)]),
        image_hash=np.array([""] * count),
        classes=tuple(classes),
    )
    return plan_of(table, Design(folds=2, use_folds=1))


def write_runs(
    folder: Path,
    *,
    classes: Sequence[str] = ("bkl", "mel", "nv"),
    methods: Sequence[str] = FROZEN + TUNED,
    budgets: Sequence[float] = (25.0, 100.0),
    backbones: Sequence[str] = ("net",),
    split: str = "grouped",
    missing: int | None = None,
) -> Path:
    """Write Runs of every method, two draws each; `missing` is a class without test images."""
    plan = make_plan(classes)
    folder.mkdir(parents=True, exist_ok=True)
    plan.save(folder / "plan.json")
    _, test = fold_test(plan, 0)
    if missing is not None:
        kept = test.label != missing
        test = type(test)(test.name, test.image_id[kept], test.group[kept], test.label[kept])
    store = RunStore(folder)
    for place, (backbone, method) in enumerate((b, m) for b in backbones for m in methods):
        for budget in budgets:
            for draw in range(2):
                noise = np.random.default_rng([place, int(budget), draw])
                skill = 0.3 + 0.3 * place + 0.3 * budget / 100
                probabilities = _predict(noise, test.label, len(classes), skill)
                held = noise.integers(0, len(classes), 12).astype(np.int16)
                tuned = method.startswith("finetune")
                store.save(
                    Run(
                        key=RunKey(
                            method,
                            backbone,
                            0,
                            budget,
                            draw,
                            {"imbalance": "weights"},
                            f"features of {backbone}",
                            plan.fingerprint,
                        ),
                        classes=tuple(classes),
                        test=test,
                        probabilities=probabilities,
                        train_lesions=int(budget),
                        train_images=int(2 * budget),
                        cost=Cost(2.0 * budget, budget, 10, 24, 100.0, 0.0 if tuned else 3.0),
                        split=split,
                        frozen=not tuned,
                        held_out=HeldOut(held, _predict(noise, held, len(classes), skill)),
                    )
                )
    return folder


def _predict(noise, label, classes, skill):
    logits = noise.normal(size=(len(label), classes)) + skill * np.eye(classes)[label]
    odds = np.exp(logits)
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def runs(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of small folders of Runs: `runs(name, methods=…, budgets=…)`."""

    def write(name: str = "runs", **options: object) -> Path:
        return write_runs(tmp_path / name, **options)  # type: ignore[arg-type]

    return write


@pytest.fixture(scope="session")
def page_of_all(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with both sides at two budgets, and its report."""
    from featkit.report import write_page

    folder = write_runs(tmp_path_factory.mktemp("all") / "runs")
    metadata = ["image_id,group,label,sex,age"]
    metadata += [f"I{row:04d},,,{'female' if row % 4 < 2 else 'male'},{row}" for row in range(48)]
    (folder / "images.csv").write_text("\n".join(metadata) + "\n")
    return folder, write_page(folder, folder / "report.html", resamples=100)


@dataclass
class Element:
    """A tag with its attributes, its text and that of all within it, and where it stands."""

    tag: str
    attributes: dict[str, str]
    parents: tuple[str, ...]
    text: str = ""
    children: list["Element"] = field(default_factory=list)


class Reader(HTMLParser):
    """Reads a page into elements, in order; fails where tags do not close as they opened."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert [element.tag for element in self._open] == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        parents = tuple(element.tag for element in self._open)
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, attrs)
        element = Element(tag, {name: value or "" for name, value in attrs}, parents)
        if self._open:
            self._open[-1].children.append(element)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1].tag == tag, (tag, self._open[-3:])
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        """Return every element of a tag."""
        return [element for element in self.elements if element.tag == tag]

    def table(self, caption: str) -> dict[str, dict[str, str]]:
        """Return the first table whose caption starts so: cells by row head and column head."""
        table = next(
            element
            for element in self.all("table")
            if element.children[0].text.strip().startswith(caption)
        )
        head, body = (part for part in table.children if part.tag in {"thead", "tbody"})
        columns = [cell.text.strip() for cell in head.children[0].children]
        return {
            row.children[0].text.strip(): {
                name: cell.text.strip() for name, cell in zip(columns, row.children, strict=True)
            }
            for row in body.children
        }


@pytest.fixture(scope="session")
def read() -> type[Reader]:
    return Reader
