"""Training cases: the nearest ones and how unlike them an image is, by brute force."""

import numpy as np
import pytest

from featkit.models import Cases
from featkit.models import _search as search


@pytest.fixture
def cases(rng):
    features = rng.normal(size=(90, 5)).astype(np.float32) * [1, 5, 0.2, 1, 1] + 3
    group = np.array([f"L{row // 2 if row < 60 else row}" for row in range(90)])
    names = np.array([f"I{row}" for row in range(90)])
    return Cases.of(
        features.astype(np.float32),
        image_id=names,
        group=group,
        label=np.arange(90, dtype=np.int16) % 3,
    )


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def similarity(cases, queries):
    """Cosines of features, one by one."""
    values = cases.features.astype(np.float64)
    found = np.empty((len(queries), len(values)))
    for i, query in enumerate(queries):
        for j, value in enumerate(values):
            found[i, j] = query @ value / np.linalg.norm(query) / np.linalg.norm(value)
    return found


def test_the_nearest_cases(cases, rng):
    queries = rng.normal(size=(7, 5)).astype(np.float32) + 3
    expected = similarity(cases, queries)
    found = cases.nearest(queries, 4)
    np.testing.assert_array_equal(found.rows, np.argsort(-expected, axis=1)[:, :4])
    np.testing.assert_allclose(found.similarity, -np.sort(-expected, axis=1)[:, :4], atol=1e-5)
    assert cases.nearest(queries, 1000).rows.shape == (7, 90)


def test_a_lesion_s_distance_is_that_from_other_lesions(cases):
    expected = similarity(cases, cases.features.astype(np.float64))
    distances = []
    for lesion in np.unique(cases.group):
        row = int((cases.group == lesion).argmax())
        others = expected[row][cases.group != lesion]
        distances.append(1 - np.sort(others)[::-1][cases.neighbours - 1])
    np.testing.assert_allclose(cases.distances, np.sort(distances), atol=1e-5)


def test_how_unlike_an_image_is(cases, rng):
    queries = rng.normal(size=(20, 5)).astype(np.float32) * 4 + 3
    kth = np.sort(similarity(cases, queries), axis=1)[:, -cases.neighbours]
    expected = [(cases.distances < 1 - value - 1e-6).mean() for value in kth]
    np.testing.assert_allclose(cases.unlike(queries), expected, atol=1 / len(cases.distances))
    assert 0 <= cases.unlike(queries).min() <= cases.unlike(queries).max() <= 1


def test_an_image_of_the_same_kind_is_flagged_as_seldom_as_promised(rng):
    """Of new lesions from the same distribution about 5% lie beyond 95% of the training ones."""
    features = rng.normal(size=(1500, 8)).astype(np.float32)
    names = np.arange(1500).astype(str)
    cases = Cases.of(features, image_id=names, group=names, label=np.zeros(1500, np.int16))
    flagged = (cases.unlike(rng.normal(size=(4000, 8)).astype(np.float32)) >= 0.95).mean()
    assert 0.03 < flagged < 0.07
    assert (cases.unlike(np.full((1, 8), 9, np.float32)) <= 1).all()


def test_few_lesions_and_large_numbers():
    features = np.array([[1e6, 0], [2e6, 1], [3e6, 2]], np.float32)
    names = np.array(["a", "b", "c"])
    cases = Cases.of(features, image_id=names, group=names, label=np.zeros(3, np.int16))
    assert (cases.neighbours, cases.features.dtype) == (2, np.float32)
    assert np.isfinite(cases.unlike(features)).all()


def test_many_cases_are_searched_by_a_graph(rng, monkeypatch):
    """It finds nearly all that the exact search finds."""
    pytest.importorskip("usearch", reason="needs usearch (the extra `search`)")
    rows = rng.normal(size=(5000, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    queries = rows[:200] + 0.1 * rng.normal(size=(200, 16)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    exact = search.search_of(rows).nearest(queries, 10)
    monkeypatch.setattr(search, "_EXACT", 1000)
    graph = search.search_of(rows).nearest(queries, 10)
    shared = [len(set(a) & set(b)) / 10 for a, b in zip(exact.rows, graph.rows, strict=True)]
    assert np.mean(shared) > 0.97
    np.testing.assert_allclose(graph.similarity[:, 0], exact.similarity[:, 0], atol=2e-3)
