import json

import pytest


@pytest.fixture
def folder(featkit, make_store, tmp_path):
    """Runs of one head on small features."""
    from featkit.experiment import Design
    from featkit.sweep import fit

    design = Design(budgets=(100.0,), draws=1, folds=2)
    fit([make_store()], tmp_path / "fit", heads=["linear"], jobs=1, design=design)
    return tmp_path / "fit"


def test_report_says_where_and_how_large(featkit, folder):
    done = featkit("report", folder, "--resamples", 100)
    assert (done.code, done.err) == (0, "") or done.code == 0
    path = folder / "report.html"
    assert path.exists()
    assert f"{path}: 0." in done.out
    assert "MB" in done.out


def test_report_as_json(featkit, folder, tmp_path):
    out = tmp_path / "elsewhere" / "r.html"
    done = featkit("report", folder, "--out", out, "--resamples", 100, "--json")
    assert json.loads(done.out) == {"path": str(out), "bytes": out.stat().st_size}


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--metric", "speed"), 2, "metric speed"),
        (("--pair", "linear"), 2, "--pair linear: it is not two methods"),
        (("--map", "tsne"), 2, "tsne"),
        (("--target", "1.5"), 2, "--target 1.5"),
        (("--reference", "x"), 2, "--reference 'x'"),
        (("--features", "no.h5"), 1, "no.h5"),
        (("--thumbnails", "no-data"), 1, "no-data"),
    ],
)
def test_bad_options_are_named(featkit, folder, options, code, said):
    done = featkit("report", folder, *options, "--resamples", 100)
    assert done.code == code
    assert said in done.err
    assert not (folder / "report.html").exists()
