import numpy as np
import pytest

from featkit.comparison.mistakes import find_mistakes


def mean_by_image(runs):
    """Brute force: probabilities of each image, averaged over the Runs that tested it."""
    found = {}
    for run in runs:
        columns = run.test.image_id, run.test.label, run.probabilities
        for name, label, row in zip(*columns, strict=True):
            found.setdefault(str(name), (int(label), []))[1].append(row.astype(float))
    return {name: (label, np.mean(rows, axis=0)) for name, (label, rows) in found.items()}


@pytest.fixture
def runs(make_run):
    return {
        method: [make_run(method, fold=f, draw=d, skill=0.7) for f in (0, 1) for d in (0, 1)]
        for method in ("linear", "mlp")
    }


def test_confident_mistakes_are_the_surest_wrong_ones(runs, make_evidence):
    evidence = make_evidence(*runs["linear"], *runs["mlp"])
    found = find_mistakes(evidence, 100.0, most=7)
    for method, made in runs.items():
        images = mean_by_image(made)
        wrong = {name: row for name, (label, row) in images.items() if row.argmax() != label}
        assert found.wrong[f"net / {method}"] == len(wrong)
        expected = sorted(wrong, key=lambda name: -wrong[name].max())[:7]
        listed = found.confident[f"net / {method}"]
        assert [mistake.image_id for mistake in listed] == expected
        for mistake in listed:
            label, row = images[mistake.image_id]
            assert mistake.probability == pytest.approx(row.max())
            assert mistake.probability_true == pytest.approx(row[label])
            assert mistake.true == evidence.grid.classes[label]
            assert mistake.predicted == evidence.grid.classes[row.argmax()]


def test_hard_images_are_wrong_for_every_row(runs, make_evidence):
    evidence = make_evidence(*runs["linear"], *runs["mlp"])
    found = find_mistakes(evidence, 100.0, most=5)
    both = [mean_by_image(made) for made in runs.values()]
    wrong = {
        name: np.mean([rows[name][1][rows[name][0]] for rows in both])
        for name in both[0]
        if all(rows[name][1].argmax() != rows[name][0] for rows in both)
    }
    assert found.hard_images == len(wrong)
    assert [image.image_id for image in found.hard] == sorted(wrong, key=wrong.__getitem__)[:5]
    assert (found.rows, found.test_images) == (2, len(both[0]))
    assert all(1 <= image.agreeing <= 2 for image in found.hard)


def test_rows_of_fewer_folds_are_compared_on_the_images_of_all(make_run, make_evidence):
    runs = [make_run(fold=0), make_run(fold=1), make_run("mlp", fold=1)]
    found = find_mistakes(make_evidence(*runs), 100.0)
    assert found.test_images == len(runs[1].test.image_id)
    assert {image.image_id[:2] for image in found.hard} <= {"F1"}


def test_no_mistake_leaves_empty_lists(make_run, make_evidence):
    found = find_mistakes(make_evidence(make_run(skill=50.0)), 100.0)
    assert (found.hard, found.hard_images) == ((), 0)
    assert found.confident == {"net / linear": ()}
