import numpy as np
import pytest

from featkit.comparison import gather
from featkit.errors import UsageError
from featkit.report import write_page
from featkit.report.page._map import _places, _thinned, check_map, map_section
from featkit.report.page._stores import find_stores
from featkit.report.page.parts import Figure, Text
from featkit.sweep import fit


def test_without_features_a_sentence_stands_there():
    (part,) = map_section((), kind="pca").parts
    assert isinstance(part, Text)
    assert "--features FILE.h5" in part.text


def test_few_classes_share_a_map_and_many_have_their_own(make_store):
    few = map_section([make_store()], kind="pca").parts
    assert [len(figure.panels) for figure in few if isinstance(figure, Figure)] == [1, 3]
    many = map_section([make_store("many.h5", lesions=(3,) * 10)], kind="pca").parts
    assert [len(figure.panels) for figure in many if isinstance(figure, Figure)] == [10]


def test_components_are_those_of_scikit_learn():
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    values = np.random.default_rng(0).normal(size=(80, 6)).astype(np.float32)
    values[:, 1] += 2 * values[:, 0]
    ours, words = _places(values, "pca")
    oracle = PCA(2, svd_solver="full")
    theirs = oracle.fit_transform(StandardScaler().fit_transform(values.astype(float)))
    assert np.allclose(np.abs(ours), np.abs(theirs), atol=1e-6)
    assert f"{oracle.explained_variance_ratio_.sum():.0%} of their variance" in words


def test_a_map_of_one_feature_or_constant_ones_is_drawn():
    for values in (np.arange(5.0)[:, None], np.ones((5, 3))):
        places, _ = _places(values.astype(np.float32), "pca")
        assert places.shape == (5, 2)
        assert np.isfinite(places).all()


def test_thinning_does_not_depend_on_the_order_of_rows(make_store, monkeypatch):
    from featkit.report.page import _map

    monkeypatch.setattr(_map, "_POINTS", 20)
    store = make_store()
    rows = _thinned(store)
    assert len(rows) == 20
    assert (_thinned(store) == rows).all()


def test_unknown_maps_and_missing_packages_are_named(monkeypatch):
    with pytest.raises(UsageError, match="--map tsne: there is no such map"):
        check_map("tsne")
    monkeypatch.setattr("featkit.report.page._map.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="umap-learn is not installed"):
        check_map("umap")


def test_features_of_the_runs_are_found_beside_their_folder(make_store, tmp_path):
    store = make_store()
    fit([store], tmp_path / "fit", heads=["linear"], jobs=1, design=_design())
    assert find_stores(gather([tmp_path / "fit"]), [tmp_path / "fit"], []) == ()  # a foreign file
    text = write_page(tmp_path / "fit", tmp_path / "r.html", resamples=100).read_text()
    assert "give it with --features FILE.h5" in text


def _design():
    from featkit.experiment import Design

    return Design(budgets=(100.0,), draws=1, folds=2)
