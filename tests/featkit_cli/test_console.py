import json
import math

from featkit_cli import console


def test_json_has_no_nan(capsys):
    console.print_json({"auroc": math.nan, "list": [1.5, math.inf]})
    assert json.loads(capsys.readouterr().out) == {"auroc": None, "list": [1.5, None]}


def test_names_that_look_like_markup_are_shown_as_they_are(capsys):
    console.show_table([{"class": "[/b]", "recall": ".5 [.1, .9]"}], title="a [b] title")
    console.say("a [red] path")
    console.fail("no [/] such file")
    shown = capsys.readouterr()
    assert "[/b]" in shown.out
    assert "a [b] title" in shown.out
    assert "[.1, .9]" in shown.out
    assert "a [red] path" in shown.out
    assert "no [/] such file" in shown.err


def test_names_between_colons_are_no_emoji(capsys):
    console.say("folder:two: done")
    console.fail("folder:two: no such class")
    shown = capsys.readouterr()
    assert "folder:two: done" in shown.out
    assert "folder:two: no such class" in shown.err
