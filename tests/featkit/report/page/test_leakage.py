from types import SimpleNamespace

from featkit.comparison import Estimate, Leakage, LeakageOfClass, LeakageScore, LeakyTraining
from featkit.report.page._leakage import leakage_folder, leakage_section
from featkit.report.page.parts import Folded, Table

HIGH = Estimate(0.7, 0.65, 0.75)
GAP = Estimate(0.05, 0.01, 0.09)


def measured():
    scores = [
        LeakageScore("net / linear", 100.0, metric, 3, HIGH, HIGH, GAP, GAP, None, None)
        for metric in ("balanced_accuracy", "accuracy")
    ]
    return Leakage(
        test_images=200,
        test_lesions=150,
        test_images_with_siblings=80,
        resamples=100,
        seed=0,
        plan="p",
        training=(LeakyTraining(100.0, 700.0, 90.0),),
        scores=tuple(scores),
        by_class=(LeakageOfClass("net / linear", 100.0, "mel", 30, HIGH, HIGH, GAP),),
    )


def test_without_a_measurement_there_is_no_section(tmp_path):
    assert list(leakage_section(SimpleNamespace(leakage=None))) == []
    assert leakage_folder([tmp_path]) is None


def test_the_runs_are_found_where_compare_leaves_them(tmp_path):
    plan = tmp_path / "b" / "leakage" / "random-leaky" / "plan.json"
    plan.parent.mkdir(parents=True)
    plan.write_text("{}")
    assert leakage_folder([tmp_path / "a", tmp_path / "b"]) == tmp_path / "b" / "leakage"


def test_differences_stand_beside_the_confounded_one():
    (section,) = leakage_section(SimpleNamespace(leakage=measured()))
    text, balanced, accuracy, folded = section.parts
    assert "200 images" in text.text
    assert "confounded" in text.text
    assert isinstance(balanced, Table)
    assert [cell.text for cell in balanced.rows[0]] == [
        *("net / linear", "100%", ".700", ".700", "+.050", "+.050", "–", "–"),
    ]
    assert accuracy.caption.startswith("Accuracy")
    assert isinstance(folded, Folded)
    assert [row[0].text for row in folded.tables[0].rows] == ["mel"]
