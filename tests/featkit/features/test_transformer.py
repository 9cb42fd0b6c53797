"""FeatureExtractor among scikit-learn's own."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from featkit.backbones import load_backbone
from featkit.data import load_dataset
from featkit.errors import BackboneError, DataError
from featkit.features import FeatureExtractor, extract
from featkit.heads import LinearHead


@pytest.fixture(scope="module")
def images():
    """Drawn images as arrays, their labels and lesions."""
    dataset = load_dataset("synthetic:images=120,size=32")
    pixels = np.stack([np.asarray(dataset.images.read(row)) for row in range(len(dataset))])
    return pixels, np.array(dataset.classes)[dataset.label], dataset.group, dataset


def test_cross_validates_in_a_pipeline(images, tmp_path):
    """The oracle is the head cross-validated on a feature file of the same images."""
    pixels, y, groups, dataset = images
    pipeline = make_pipeline(FeatureExtractor("featkit:tiny", device="cpu"), LinearHead())
    folds = GroupKFold(3)
    found = cross_val_predict(pipeline, pixels, y, groups=groups, cv=folds, method="predict_proba")
    store = extract(
        dataset, load_backbone("featkit:tiny"), tmp_path / "f.h5", device="cpu", precision="fp32"
    )
    expected = cross_val_predict(
        LinearHead(), store.numpy(), y, groups=groups, cv=folds, method="predict_proba"
    )
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_paths_and_names(images, tmp_path):
    pixels, *_, dataset = images
    dataset.images.read(5).save(tmp_path / "five.png")
    extractor = FeatureExtractor("featkit:tiny", device="cpu").fit([])
    found = extractor.transform([tmp_path / "five.png"])
    np.testing.assert_allclose(found, extractor.transform(pixels[5:6]), atol=1e-6)
    assert found.shape == (1, extractor.n_features_out_) and found.dtype == np.float32
    names = extractor.get_feature_names_out()
    assert names[0] == "f0" and len(names) == found.shape[1]


def test_is_cloned_and_set_as_any_estimator():
    extractor = FeatureExtractor("featkit:tiny", image_size=32, batch_size=4)
    assert clone(extractor).get_params() == extractor.get_params()
    assert extractor.set_params(image_size=64).fit(None).backbone_.preprocessing.crop == (64, 64)


def test_errors(tmp_path):
    with pytest.raises(NotFittedError):
        FeatureExtractor("featkit:tiny").transform([])
    with pytest.raises(BackboneError):
        FeatureExtractor("local-dir:/nowhere").fit([])
    with pytest.raises(DataError, match=r"cannot read the image no\.png"):
        FeatureExtractor("featkit:tiny", device="cpu").fit([]).transform([tmp_path / "no.png"])
