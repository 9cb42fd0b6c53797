import json

from featkit.comparison import LesionsNeeded
from featkit.report import contrast_rows, target_rows, write_comparison


def test_contrasts_name_both_rows_and_the_better_side(against):
    first, second = contrast_rows([*against.declared, *against.others])
    assert first == {
        "fine-tuned": "alpha / finetune-full",
        "frozen": "linear",
        "budget": "100%",
        "difference": "+0.080",
        "95% interval": "[+0.050, +0.110]",
        "p (Holm)": "0.0030",
        "better": "fine-tuned",
    }
    assert second["better"] == "–"


def test_the_page_has_every_family_that_is_there(comparison, against, tmp_path):
    paths = write_comparison(comparison, tmp_path, against=against)
    text = (tmp_path / "comparison.md").read_text()
    assert "### The pair named before any result" in text
    assert "### Every other row" in text
    assert "held-out predictions" not in text
    assert "the curves cross at 12%" in text
    assert tmp_path / "contrasts.json" in paths
    written = json.loads((tmp_path / "contrasts.json").read_text())
    assert written["declared"][0]["difference"]["value"] == 0.08
    assert written["crossings"][0]["budget"]["high"] is None


def test_targets_are_answered_in_words():
    needed = {"alpha / mlp": LesionsNeeded(0.7, None, None, "cannot say: too few")}
    assert target_rows(needed) == [
        {"method": "alpha / mlp", "training lesions": "cannot say: too few"}
    ]
