import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "command",
    ["extract", "fit", "compare", "backbones", "plugins", "inspect", "bench", "demo", "data"],
)
def test_every_command_explains_itself(featkit, command):
    done = featkit(command, "--help")
    assert done.code == 0
    assert "Usage: featkit " + command in done.out
    assert command in featkit("--help").out


def test_no_arguments_show_the_help(featkit):
    done = featkit()
    assert done.code == 0
    assert "extract" in done.out


def test_version(featkit):
    assert featkit("--version").out.startswith("featkit 0.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fly"], "No such command 'fly'"),
        (["fit"], "Missing argument 'FEATURES.h5'"),
        (
            ["fit", "x.h5", "--head", "svm"],
            "head 'svm': there is no head of this name. Choose one of linear, lightgbm, mlp",
        ),
        (["extract", "x"], "Missing option '--backbone'"),
        (["extract", "x", "-b", "featkit:tiny", "--batch-size", "big"], "--batch-size 'big'"),
        (["fit", "x.h5", "--budgets", "1,many"], "'many': it is not a number"),
        (["data", "info", "x", "--limit", "0"], "'--limit'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(featkit, arguments, message):
    done = featkit(*arguments)
    assert done.code == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert done.out == ""


def test_heavy_libraries_stay_unloaded_until_a_command_needs_them():
    code = (
        "import sys; sys.argv = ['featkit', '--help']\n"
        "from featkit_cli.main import _run; _run()\n"
        "heavy = {'torch', 'timm', 'sklearn', 'pandas', 'matplotlib', 'lightgbm', 'scipy'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "LOADED []" in done.stdout


def test_unexpected_errors_have_no_traceback_unless_asked_for(featkit, monkeypatch, tmp_path):
    def broken(*_args, **_options):
        raise RuntimeError("boom\nsecond line")

    monkeypatch.setattr("featkit.data.load_dataset", broken)
    done = featkit("data", "info", tmp_path)
    assert done.code == 1
    assert done.err.strip() == (
        "featkit: unexpected RuntimeError: boom second line. "
        "Run again with --debug for the traceback."
    )
    for arguments in (["--debug", "data", "info"], ["data", "info", "--debug"]):
        with pytest.raises(RuntimeError, match="boom"):
            featkit(*arguments, tmp_path)
