"""`--config FILE.toml`: what it sets, what wins over it, where its paths start, what it refuses."""

import json
import os
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer.main
from hypothesis import given
from hypothesis import strategies as st

from featkit_cli.commands import app
from featkit_cli.configuration.file import long_names
from featkit_cli.configuration.refusing import as_toml
from featkit_cli.options import KINDS


def _values():
    plain = st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.dates()
    texts = st.text(st.characters(codec="utf-8", exclude_characters="\x7f"))
    names = st.from_regex("[a-z]{1,5}", fullmatch=True)
    return st.recursive(
        plain | texts,
        lambda each: st.lists(each, max_size=3) | st.dictionaries(names, each, max_size=3),
        max_leaves=6,
    )


@pytest.fixture
def config(tmp_path):
    """Return a writer of the file, in a folder that is not the current one."""
    (tmp_path / "study").mkdir()

    def write(text):
        path = tmp_path / "study" / "options.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def called(monkeypatch):
    """Have `fit` and `finetune` work on nothing, and keep what they were called with."""
    calls, reads = [], []

    def keep(*given, **options):
        calls.append(SimpleNamespace(given=given, read=reads[-1:] and reads[-1], **options))
        return SimpleNamespace(trained=0, reused=0, failures={})

    store = SimpleNamespace(open=lambda path: SimpleNamespace(path=path, group=_Rows(), image_id=0))
    monkeypatch.setattr("featkit.sweep.fit", keep)
    monkeypatch.setattr("featkit.finetuning.finetune", keep)
    monkeypatch.setattr("featkit.features.FeatureStore", store)
    monkeypatch.setattr("featkit.backbones.load_backbone", lambda spec, **options: (spec, options))
    data = SimpleNamespace(group=_Rows(), image_id=0)

    def load(spec, *, lesions=None, **options):
        if not options:
            return spec
        reads.append((spec, lesions))
        return data

    monkeypatch.setattr("featkit.data.load_dataset", load)
    return calls


class _Rows:
    """Groups that are not the images."""

    def __eq__(self, other):
        return SimpleNamespace(all=lambda: False)

    __hash__ = None


@pytest.mark.parametrize("before", [True, False])
def test_options_come_from_the_commands_table_and_the_command_line_wins(
    featkit, config, called, before
):
    path = config(
        """
        [fit]
        budgets = [2, 12.5, 100]
        draws = 3
        draws-large = 2
        use_folds = 2
        head = ["linear", "mlp"]
        split = "random"
        tta = true
        jobs = 7

        [finetune]
        draws = 99
        """
    )
    option = ["--config", path]
    words = ["fit", "x.h5", "--jobs", 1, "--head", "lightgbm", "--json"]
    done = featkit(*option, *words) if before else featkit(*words, *option)
    assert done.code == 0, done.err
    design = called[0].design
    assert (design.budgets, design.draws, design.draws_large) == ((2.0, 12.5, 100.0), 3, 2)
    assert (design.use_folds, design.split, design.folds) == (2, "random", 5)
    assert (called[0].jobs, called[0].heads, called[0].tta) == (1, ["lightgbm"], True)


def test_the_file_after_the_command_wins_over_the_one_before_it(featkit, config, called, tmp_path):
    first = config("[fit]\ndraws = 3\nfolds = 4\nout = 'a'")
    second = tmp_path / "second.toml"
    second.write_text("[fit]\ndraws = 8\n")
    assert featkit("--config", first, "fit", "x.h5", "--config", second).code == 0
    assert (called[0].design.draws, called[0].design.folds) == (8, 4)
    assert called[0].given[1] == first.parent / "a"


def test_relative_paths_start_from_the_files_folder(featkit, config, called, monkeypatch):
    path = config(
        """
        [finetune]
        out = "runs/a"
        backbone = "local-dir:weights/net"
        test = "ham10000:other"
        lesions = "https://example.org/lesions.csv"
        """
    )
    monkeypatch.chdir(path.parent.parent)
    done = featkit("finetune", "folder:data", "--config", "study/options.toml")
    assert done.code == 0, done.err
    _, network, out = called[0].given
    assert out == Path("study/runs/a")
    assert network[0] == "local-dir:study/weights/net"
    assert called[0].test == "ham10000:study/other"
    assert called[0].read == ("folder:data", "https://example.org/lesions.csv")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("synthetic:images=9", "synthetic:images=9"),
        ("s3://bucket/x", "s3://bucket/x"),
        ("ham10000:s3://bucket/x", "ham10000:s3://bucket/x"),
        ("/whole/path", "/whole/path"),
        ("csv:table.csv", "csv:{folder}/table.csv"),
        ("table.csv", "{folder}/table.csv"),
        ("~/images", "{home}/images"),
    ],
)
def test_data_is_a_path_a_kind_and_a_path_or_neither(featkit, config, called, spec, expected):
    path = config(f"[finetune]\ntest = '{spec}'\nbackbone = 'featkit:tiny'")
    assert featkit("finetune", "x", "--config", path).code == 0
    assert called[0].test == expected.format(folder=path.parent, home=Path.home())


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("timm:resnet50.a1_in1k", "timm:resnet50.a1_in1k"),
        ("hf-hub:owner/name", "hf-hub:owner/name"),
        ("./net", "{folder}/net"),
        ("local-dir:/abs", "local-dir:/abs"),
    ],
)
def test_only_local_backbones_are_paths(featkit, config, called, spec, expected):
    path = config(f"[finetune]\nbackbone = '{spec}'")
    assert featkit("finetune", "x", "--config", path).code == 0
    assert called[0].given[1][0] == expected.format(folder=path.parent)


def test_a_table_stands_for_names_and_values(featkit, config, called):
    path = config(
        "[finetune]\nbackbone = 'n'\nepochs = 3\n[finetune.recipe]\nclip = 1\nmixup = 0.2"
    )
    assert featkit("finetune", "x", "--config", path).code == 0
    assert called[0].recipe == {"clip": 1, "mixup": 0.2, "epochs": 3}


def test_commands_of_a_group_have_tables_of_their_own(featkit, config, tmp_path):
    path = config("[data.sample]\nimages = 150\nsize = 20\n[data.info]\njson = true")
    folder = tmp_path / "sample"
    assert featkit("data", "sample", folder, "--config", path).code == 0
    done = featkit("--config", path, "data", "info", folder)
    assert json.loads(done.out)["images"] == 150


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[fti]\ndraws = 3", "[fti]: there is no such command. Did you mean fit"),
        ("[data.samples]\nsize = 3", "[data.samples]: there is no such command. Did you mean sam"),
        ("[xyzzy]", "There are: extract, fit"),
        ("[fit]\ndrawz = 3", "[fit] drawz: there is no such option. Did you mean draws"),
        ("[fit]\nbatch-size = 3", "[fit] batch-size: there is no such option."),
        ("[fit]\nconfig = 'x.toml'", "[fit] config: there is no such option."),
        ("[fit]\nfeatures = ['x.h5']", "behind `featkit fit`.\n"),
        ("[data.check]\ndata = 'x'", "it is no option but an argument"),
        (
            "draws = 3",
            "draws: it stands in no command's table. Put it below a line such as [fit] or ",
        ),
        ("xyzzy = 3", "Put it below a line such as [extract].\n"),
        (
            "[data]\nworkers = 1",
            "workers: it stands in no command's table. Put it below a line such",
        ),
        ("[data]\nkeep-archives = true", "such as [data.download].\n"),
        ("[fit]\ndraws = 2.5", "[fit] draws = 2.5: Input should be a valid integer"),
        ("[fit]\ndraws = true", "[fit] draws = true: it takes a text or a number"),
        ("[fit]\ndraws = [1, 2]", "it takes a text or a number"),
        ("[fit]\ndraws = 0", "greater than or equal to 1"),
        ("[fit]\ntta = 1", "[fit] tta = 1: it is a switch: true or false"),
        ("[fit]\nhead = ['svm']", "no head of this name. Choose one of linear, lightgbm"),
        ("[fit]\nengine = 'spark'", "'spark' is not one of"),
        ("[fit]\nhead = 1979-05-27", "[fit] head = 1979-05-27: it takes a text or a number"),
        ("[fit]\nout = [true, 7]", "[fit] out = [true, 7]: it takes a text or a number"),
        ("[fit]\nlabel-key = {a = 1}", "label-key = {a = 1}: it takes a text or a number"),
        ("[fit\ndraws = 3", "it is no TOML"),
        ("[extract]\nviews = 'many'", "[extract] views = 'many': Input should be a valid integer"),
        ("[report]\nmap = 'globe'", "[report] map = 'globe': 'globe' is not one of"),
        ("[data.check]\nworkers = true", "[data.check] workers = true: it takes a text"),
        ("[serve]\nport = [1]", "[serve] port = [1]: it takes a text or a number"),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_what_means_nothing_is_wrong_usage(featkit, config, called, text, message, before):
    path = config(text)
    option = ["--config", path]
    done = featkit(*option, "fit", "x.h5") if before else featkit("fit", "x.h5", *option)
    assert done.code == 2
    assert message in done.err
    assert str(path) in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert called == []


def test_a_folder_of_another_command_need_not_be_there_yet(featkit, config, called):
    path = config("[fit]\ndraws = 3\n[serve]\nthumbnails = 'later'")
    assert featkit("fit", "x.h5", "--config", path).code == 0
    assert called[0].design.draws == 3


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_help_comes_whatever_the_file_says(featkit, config, place):
    words = ["fit", "x.h5", "--help"]
    for option in (["--config", config("[fit]\ndraws = 'x'")], ["--config=none.toml"]):
        done = featkit(*words[:place], *option, *words[place:])
        assert done.code == 0, done.err
        assert "--draws-large" in done.out


@given(_values())
def test_values_are_shown_as_toml_has_them(value):
    shown = as_toml(value)
    assert "\n" not in shown
    assert tomllib.loads(f"x = {shown}")["x"] == value


def test_values_are_checked_by_the_callbacks_of_options_too(featkit, config):
    path = config("[extract]\nbackbone = 'featkit:tiny'\nbatch-size = 'big'")
    done = featkit("extract", "x", "--config", path)
    assert done.code == 2
    assert "[extract] batch-size = 'big': it is neither `auto` nor a positive" in done.err


def test_a_missing_file_is_wrong_usage(featkit, tmp_path):
    done = featkit("fit", "x.h5", "--config", tmp_path / "none.toml")
    assert done.code == 2
    assert "none.toml: no such file or directory" in done.err
    assert featkit("--config", tmp_path, "fit", "x.h5").code == 2


def test_a_file_that_is_not_utf_8_is_wrong_usage(featkit, config):
    path = config("")
    path.write_bytes(b"[fit]\nout = '\xff'")
    assert "it is no TOML" in featkit("fit", "x.h5", "--config", path).err


def commands(group, words=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name), command


ALL = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_takes_a_file_and_says_so(featkit, words):
    assert "--config" in featkit(*words, "--help").out


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_option_may_stand_in_a_file(words):
    names = long_names(ALL[words])
    flags = [option.opts for option in ALL[words].params if option.param_type_name == "option"]
    assert len(names) >= len([each for each in flags if each not in (["--config"], ["--help"])])


def test_the_kinds_are_those_of_the_readers():
    from featkit.data.readers import READERS

    assert READERS.own == KINDS


def test_completion_does_not_read_the_file(featkit, monkeypatch, tmp_path):
    monkeypatch.setenv("_FEATKIT_COMPLETE", "complete_fish")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", f"featkit fit --config {tmp_path}/none --dra")
    with pytest.raises(SystemExit) as done:
        featkit("ignored")
    assert done.value.code == 0
    assert os.environ["_FEATKIT_COMPLETE"]


def test_the_file_in_the_documentation_means_something(tmp_path):
    from featkit_cli.configuration.file import ConfigFile

    page = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
    path = tmp_path / "documented.toml"
    path.write_text(page.partition("```toml\n")[2].partition("```")[0])
    file = ConfigFile.read(path)
    file.check(typer.main.get_command(app))
    assert file.table(("data", "check")) == {"workers": 4}
