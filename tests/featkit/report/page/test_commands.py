import shlex
from types import SimpleNamespace

from featkit.report.page._commands import commands, options_text


def test_commands_are_those_that_the_folders_note(tmp_path):
    folders = [tmp_path / name for name in ("a", "b", "empty")]
    for folder in folders:
        folder.mkdir()
    (folders[0] / "commands.txt").write_text("featkit fit x.h5 --out a\n")
    (folders[1] / "commands.txt").write_text("featkit finetune d --out b\nfeatkit fit x.h5\n")
    lines = commands(folders, []).splitlines()
    places = shlex.join(str(folder) for folder in folders)
    assert lines[1:] == [
        "featkit fit x.h5 --out a",
        "featkit finetune d --out b",
        "featkit fit x.h5",
        f"featkit compare {places}",
        f"featkit report {places}",
    ]


def test_the_extraction_is_read_off_the_feature_file(make_store):
    (line,) = [line for line in commands([], [make_store()]).splitlines() if " extract " in line]
    words = shlex.split(line)
    assert words[:3] == ["featkit", "extract", "DATA"]
    assert words[words.index("--out") + 1].endswith("features.h5")


def test_untrained_weights_are_named(make_store):
    store = make_store()
    backbone = {**store.attributes["backbone"], "random_weights": True}
    untrained = SimpleNamespace(
        attributes={**store.attributes, "backbone": backbone}, path=store.path
    )
    assert " --random-weights" not in commands([], [store])
    assert " --random-weights" in commands([], [untrained])


def test_odd_folders_are_quoted(tmp_path):
    folder = tmp_path / "my runs; rm -rf"
    line = commands([folder], []).splitlines()[-1]
    assert shlex.split(line)[2] == str(folder)


def test_options_are_in_alphabetical_order():
    assert options_text({"b": 1, "a": [1, 2]}) == "a=[1, 2], b=1"


def test_who_decoded_is_named(make_store):
    store = make_store()
    decoded = {"preprocessing": {"decoder": "gpu"}}
    by_gpu = SimpleNamespace(attributes={**store.attributes, **decoded}, path=store.path)
    assert " --decoder" not in commands([], [store])
    assert " --decoder gpu" in commands([], [by_gpu])
