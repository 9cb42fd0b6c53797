from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from featkit.comparison.confusion import confusion_matrices


def matrix(run, **options):
    top = run.probabilities.argmax(axis=1)
    return confusion_matrix(run.test.label, top, labels=range(3), **options)


def test_matrices_are_scikit_learns_mean(make_run, make_evidence):
    runs = [make_run(fold=fold, draw=draw) for fold in (0, 1) for draw in (0, 1, 2)]
    evidence = make_evidence(*runs)
    (found,) = confusion_matrices(evidence)
    by_fold = [[matrix(run) for run in runs if run.key.fold == fold] for fold in (0, 1)]
    np.testing.assert_allclose(found.counts, np.sum([np.mean(f, 0) for f in by_fold], axis=0))
    rates = np.mean([matrix(run, normalize="true") for run in runs], axis=0)
    np.testing.assert_allclose(found.rates, rates)
    recalls = [row.recall.value for row in evidence.comparison.by_class]
    assert np.diag(found.rates) == pytest.approx(recalls)


def test_support_is_of_distinct_images_and_lesions(make_run, make_evidence):
    runs = [make_run(fold=fold, draw=draw) for fold in (0, 1) for draw in (0, 1)]
    (found,) = confusion_matrices(make_evidence(*runs))
    tests = [run.test for run in runs if run.key.draw == 0]
    for index in range(3):
        assert found.images[index] == sum(int(np.sum(test.label == index)) for test in tests)
        lesions = {name for test in tests for name in test.group[test.label == index]}
        assert found.lesions[index] == len(lesions)
    assert np.sum(found.counts) == pytest.approx(sum(found.images))


def test_one_external_test_set_counts_once(make_run, make_evidence):
    one = make_run()
    folds = [replace(one, key=replace(one.key, fold=fold, test="elsewhere")) for fold in range(3)]
    (found,) = confusion_matrices(make_evidence(*folds))
    np.testing.assert_allclose(found.counts, matrix(one))


def test_a_class_without_images_has_no_rates(make_run, make_evidence):
    run = make_run()
    label = np.where(run.test.label == 1, 2, run.test.label).astype(np.int16)
    (found,) = confusion_matrices(make_evidence(replace(run, test=replace(run.test, label=label))))
    assert np.all(np.isnan(found.rates[1]))
    assert (found.images[1], found.lesions[1]) == (0, 0)
