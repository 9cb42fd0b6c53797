import shlex

from featkit.comparison import gather
from featkit.report.page._commands import commands, options_text


def test_commands_repeat_the_design(runs):
    folder = runs(methods=("linear", "mlp+views", "finetune-full", "finetune-head"))
    grid = gather([folder])
    from featkit.plans import Plan

    lines = commands(grid, [folder], Plan.load(folder / "plan.json"), []).splitlines()
    words = {tuple(shlex.split(line)[1:2]): shlex.split(line) for line in lines[1:]}
    assert set(words) == {("fit",), ("finetune",), ("compare",), ("report",)}
    fits = [shlex.split(line) for line in lines if line.startswith("featkit fit")]
    assert [("--views" in line) for line in fits] == [False, True]
    tune = words[("finetune",)]
    for options in (
        ["--strategy", "head", "--strategy", "full"],
        ["--budgets", "25,100"],
        ["--draws", "2"],
        ["--folds", "2", "--use-folds", "1"],
        ["--seed", "0"],
    ):
        assert " ".join(options) in " ".join(tune)
    assert words[("report",)] == ["featkit", "report", str(folder)]


def test_odd_folders_are_quoted(runs):
    folder = runs("my runs; rm -rf")
    line = commands(gather([folder]), [folder], None, []).splitlines()[-1]
    assert shlex.split(line)[2] == str(folder)


def test_options_are_in_alphabetical_order():
    assert options_text({"b": 1, "a": [1, 2]}) == "a=[1, 2], b=1"
