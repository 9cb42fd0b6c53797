"""What the shell offers at <TAB>, asked as the shells ask."""

import os
import shutil
import subprocess
import sys

import pytest

from featkit_cli.completion.backbones import timm_names, torchvision_names
from featkit_cli.completion.bash import joined
from featkit_cli.options import DOWNLOADS, HEADS, KINDS, METRICS


@pytest.fixture
def offered(featkit, monkeypatch, capfd):
    """Return what fish is offered, which sees words as they are: `offered("fit --he")`."""

    def ask(line):
        monkeypatch.setenv("_FEATKIT_COMPLETE", "complete_fish")
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", f"featkit {line}")
        with pytest.raises(SystemExit) as done:
            featkit()
        assert done.value.code == 0
        out, err = capfd.readouterr()
        assert err == ""
        return [each.partition("\t")[0] for each in out.splitlines() if each]

    return ask


@pytest.fixture
def in_bash(featkit, monkeypatch, capfd):
    """Return what bash is offered, which splits words at colons: `in_bash("extract", "x:y")`."""

    def ask(*words):
        split = ["featkit"]
        for word in words:
            for number, part in enumerate(word.split(":")):
                split += [":"] * (number > 0) + ([part] if part or not number else [])
        monkeypatch.setenv("_FEATKIT_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", "\n".join(split))
        monkeypatch.setenv("COMP_CWORD", str(len(split) - 1))
        with pytest.raises(SystemExit):
            featkit()
        return capfd.readouterr().out.splitlines()

    return ask


def test_commands_and_options_are_offered(offered):
    assert {"extract", "fit", "doctor", "data"} <= set(offered(""))
    assert offered("fit --dra") == ["--draws", "--draws-large"]
    assert offered("data sa") == ["sample"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("fit x.h5 --head ", ["linear", "lightgbm", "mlp"]),
        ("fit x.h5 --head li", ["linear", "lightgbm"]),
        ("finetune x --strategy l", ["last", "lp-ft"]),
        ("fit x.h5 --split ", ["grouped", "random", "official", "single-image-test"]),
        ("fit x.h5 --device ", ["auto", "cpu", "cuda", "mps"]),
        ("fit x.h5 --views ", ["plain", "all"]),
        ("extract x --device c", ["cpu", "cuda"]),
        ("extract x --pooling ", ["avg", "cls", "cls+avg", "logits"]),
        ("extract x --batch-size a", ["auto"]),
        ("compare x --metric ", list(METRICS)),
        ("report x --map ", ["pca", "umap"]),
        ("data download ham", ["ham10000", "ham10000-duplicates"]),
        ("data download isic2018 x --part ", ["training", "validation", "test", "all"]),
        ("data download dermamnist x --part 2", ["28", "224"]),
        ("data download --part te", ["test"]),
        ("run vgg", ["vgg19-resnet50-transfer"]),
        ("extract x -b feat", ["featkit:tiny"]),
        ("bench x -b featkit:", ["featkit:tiny"]),
        ("data check x --backbone local", ["local-dir:"]),
    ],
)
def test_values_are_offered(offered, tmp_path, monkeypatch, line, expected):
    monkeypatch.chdir(tmp_path)
    assert offered(line) == expected


@pytest.mark.parametrize("command", ["extract", "finetune", "bench", "data info", "data check"])
def test_kinds_of_data_are_offered_before_files(offered, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / ".hidden").mkdir()
    kinds = [f"{kind}:" for kind in KINDS]
    assert offered(f"{command} ") == [*kinds, "images/"]
    assert offered(f"{command} h") == ["ham10000:", "hmnist:"]
    assert offered(f"{command} ima") == []  # the shell's own business


def test_paths_are_offered_behind_a_kind(offered, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("images/a", "images/b", "other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "table.csv").write_text("")
    assert offered("extract folder:") == ["folder:images/", "folder:other/", "folder:table.csv"]
    # A single folder comes with what is in it, so that the word does not end there.
    inside = ["folder:images/", "folder:images/a/", "folder:images/b/"]
    assert offered("extract folder:im") == inside
    assert offered("extract ham") == [
        "ham10000:",
        "ham10000:images/",
        "ham10000:other/",
        "ham10000:table.csv",
    ]
    assert offered("extract synthetic:") == offered("extract csv:none/") == []
    assert offered("run x --data folder:im") == inside
    assert offered("extract x -b local-dir:o") == ["local-dir:other/"]


def test_bundled_studies_are_offered(offered, tmp_path, monkeypatch):
    from featkit.studies.catalogue import bundled_names

    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text("")
    assert offered("run ") == [*bundled_names(), "mine.toml"]


def test_the_shelf_is_offered_first_and_all_names_behind_a_prefix(offered):
    from featkit.backbones._registry import resolve

    *shelf, folder, hub = offered("extract x --backbone ")
    assert (folder, hub) == ("local-dir:", "hf-hub:")
    assert "timm:resnet50.a1_in1k" in shelf
    for spec in shelf:
        source, name = resolve(spec)
        assert f"{source.prefix}:{name}" == spec
    assert "timm:resnet50.a1_in1k" in offered("extract x --backbone timm:resnet50.a")
    assert "resnet50.a1_in1k" in offered("extract x --backbone resnet50.a")
    tags = offered("extract x --backbone torchvision:resnet50.")
    assert tags == ["torchvision:resnet50.IMAGENET1K_V1", "torchvision:resnet50.IMAGENET1K_V2"]


def test_names_are_those_that_the_libraries_give():
    """Read from source files: a new form of these would leave names out, or bring wrong ones."""
    import timm

    from featkit.backbones import SOURCES

    assert torchvision_names() == sorted(SOURCES["torchvision"].names())
    found, known = set(timm_names()), set(timm.list_models(pretrained=True))
    assert len(found & known) > 0.95 * len(known)
    assert len(found - known) < 0.1 * len(known)


def test_without_the_libraries_nothing_is_offered_and_nothing_fails(offered, monkeypatch):
    monkeypatch.setattr("featkit_cli.completion.backbones.find_spec", lambda _: None)
    assert offered("extract x --backbone timm:res") == []


def test_bash_gets_what_stands_behind_the_colon(in_bash):
    found = in_bash("extract", "x", "--backbone", "timm:resnet50.a")
    assert "resnet50.a1_in1k" in found
    assert all(each.startswith("resnet50.a") for each in found)
    assert in_bash("extract", "x", "--backbone", "featkit:") == ["tiny"]
    assert in_bash("extract", "x", "--backbone", "featk") == ["featkit:tiny"]
    assert in_bash("fit", "a:b.h5", "--head", "li") == ["linear", "lightgbm"]


@pytest.mark.parametrize(
    ("words", "place", "expected", "at"),
    [
        ("featkit extract timm : res", 4, "featkit extract timm:res", 2),
        ("featkit extract timm :", 3, "featkit extract timm:", 2),
        (
            "featkit extract ham10000 : s3 : //b --limit",
            7,
            "featkit extract ham10000:s3://b --limit",
            3,
        ),
        ("featkit fit --head = li", 4, "featkit fit --head li", 3),
        ("featkit fit --head =", 3, "featkit fit --head ", 3),
        ("featkit x -b timm : a x --head", 7, "featkit x -b timm:a x --head", 5),
        ("featkit fit a", 2, "featkit fit a", 2),
    ],
)
def test_words_are_joined_around_colons(words, place, expected, at):
    found, found_at = joined(words.split(" "), place)
    assert (" ".join(found), found_at) == (expected, at)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_script_works_in_bash(tmp_path):
    """The script that --install-completion writes, and the program behind it."""
    featkit = tmp_path / "featkit"
    featkit.write_text(f'#!/bin/sh\nexec {sys.executable} -m featkit_cli "$@"\n')
    featkit.chmod(0o755)
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    script = subprocess.run(
        [featkit, "--show-completion", "bash"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    ask = f"""{script}
        COMP_WORDS=({featkit} extract x --backbone timm : resnet50.a1h) COMP_CWORD=6
        _featkit_completion {featkit}
        echo "${{COMPREPLY[@]}}"
        """
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["resnet50.a1h_in1k"]


@pytest.mark.parametrize(
    "line", ["extract x --backbone timm:res", "extract ", "run ", "fit --", "data download "]
)
def test_completion_imports_nothing_heavy(line):
    code = (
        "import sys\n"
        "from featkit_cli.main import _run\n"
        "try: _run()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'timm', 'torchvision', 'sklearn', 'pandas', 'numpy', 'mlflow'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    asked = {
        "_FEATKIT_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": f"featkit {line}",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) > 1
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_the_names_that_are_kept_are_those_there_are():
    from featkit import evaluate, heads

    assert tuple(evaluate.METRICS) == METRICS
    assert heads.HEADS.own == HEADS


def test_the_data_sets_that_are_kept_are_those_there_are():
    from featkit.data.download import PUBLICATIONS

    assert {
        name: tuple(part.name for part in each.parts) for name, each in PUBLICATIONS.items()
    } == dict(DOWNLOADS)
    assert list(PUBLICATIONS) == list(DOWNLOADS)


def test_what_other_distributions_add_is_offered_without_being_imported(
    offered, tmp_path, monkeypatch
):
    info = tmp_path / "site" / "added-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: added\nVersion: 1.0\n")
    groups = {"heads": "knn", "readers": "dicom", "backbones": "zoo"}
    points = [f"[featkit.{group}]\n{name} = none.such:Thing" for group, name in groups.items()]
    (info / "entry_points.txt").write_text("\n".join(points))
    monkeypatch.setattr(sys, "path", [str(info.parent), *sys.path])
    monkeypatch.chdir(tmp_path)
    assert offered("fit x.h5 --head k") == ["knn"]
    assert offered("extract dic")[0] == "dicom:"
    assert "zoo:" in offered("extract x -b z")
