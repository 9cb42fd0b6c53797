from importlib import resources

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from featkit.backbones import load_backbone
from featkit.backbones._bundled import BundledSource
from featkit.data._drawing import draw_photograph
from featkit.data._lesion import TRAITS, unspecific_lesion
from featkit.data.synthetic import synthetic_dataset
from featkit.errors import BackboneError

WEIGHTS = resources.files("featkit.backbones") / "tiny.safetensors"


@pytest.fixture(scope="module")
def tiny():
    return load_backbone("featkit:tiny")


def features_of(backbone, images):
    pixels = np.stack([backbone.preprocessing(image) for image in images]).transpose(0, 3, 1, 2)
    with torch.inference_mode():
        return backbone.features(torch.from_numpy(pixels.copy())).numpy()


@pytest.fixture(scope="module")
def sample_features(tiny):
    sample = synthetic_dataset(images=400, seed=11)
    return sample, features_of(tiny, [sample.images.read(row) for row in range(len(sample))])


def test_weights_are_small_and_say_what_they_are():
    assert len(WEIGHTS.read_bytes()) <= 1_000_000
    with resources.as_file(WEIGHTS) as path, safe_open(path, "pt") as stored:
        about = stored.metadata()
    halves = [tensor.dtype == torch.float16 for tensor in load(WEIGHTS.read_bytes()).values()]
    assert "no class labels" in about["task"]
    assert about["traits"].split(", ") == list(TRAITS)
    assert sum(halves) > len(halves) / 2


def test_backbone_is_described(tiny):
    assert (tiny.spec, tiny.architecture, tiny.pooling) == (
        "featkit:tiny",
        "featkit_tiny",
        "default",
    )
    assert tiny.dimension == 128
    assert tiny.preprocessing.crop == (96, 96)
    assert not tiny.network.training
    assert {parameter.dtype for parameter in tiny.network.parameters()} == {torch.float32}
    assert load_backbone("featkit:tiny").fingerprint == tiny.fingerprint


def test_a_bare_name_finds_it(tiny):
    assert load_backbone("tiny").fingerprint == tiny.fingerprint


def test_source_knows_its_names():
    assert BundledSource().names() == ["tiny"]
    assert BundledSource().has("tiny") and BundledSource().cached("tiny")
    assert not BundledSource().has("large") and not BundledSource().cached("large")


def test_features_do_not_depend_on_the_batch(tiny):
    sample = synthetic_dataset(images=42)
    images = [sample.images.read(row) for row in range(6)]
    alone = np.concatenate([features_of(tiny, [image]) for image in images])
    np.testing.assert_allclose(features_of(tiny, images), alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("side", [32, 64, 224])
def test_other_sizes_give_as_many_features(side):
    backbone = load_backbone("featkit:tiny", image_size=side)
    image = synthetic_dataset(images=42).images.read(0)
    features = features_of(backbone, [image])
    assert backbone.preprocessing.crop == (side, side)
    assert features.shape == (1, 128)
    assert np.isfinite(features).all()


def test_what_it_cannot_do_is_refused():
    with pytest.raises(BackboneError, match=r"featkit:tiny with pooling cls: .*no class token"):
        load_backbone("featkit:tiny", pooling="cls")
    with pytest.raises(BackboneError, match=r"featkit:tiny with images of 31 px: .* 32 px or more"):
        load_backbone("featkit:tiny", image_size=31)


def test_random_weights_depend_on_the_seed_alone(tiny):
    first, again, other = (
        load_backbone("featkit:tiny", random_weights=True, seed=seed) for seed in (1, 1, 2)
    )
    assert first.fingerprint == again.fingerprint
    assert len({first.fingerprint, other.fingerprint, tiny.fingerprint}) == 3
    assert first.random_weights


def test_features_tell_the_traits_of_unseen_lesions(tiny):
    lesions = [unspecific_lesion("test", number) for number in range(400)]
    drawn = [draw_photograph(lesion, 96, "test", row) for row, lesion in enumerate(lesions)]
    features, traits = features_of(tiny, drawn), np.stack([lesion.traits for lesion in lesions])
    model = make_pipeline(StandardScaler(), Ridge(30)).fit(features[:250], traits[:250])
    told = r2_score(traits[250:], model.predict(features[250:]), multioutput="raw_values")
    known = dict(zip(TRAITS, told, strict=True))
    assert min(known[name] for name in ("size", "melanin", "redness", "keratin")) > 0.5
    assert told.mean() > 0.4


def test_a_linear_head_on_the_sample_is_neither_perfect_nor_at_chance(sample_features):
    sample, features = sample_features
    folds = StratifiedGroupKFold(4, shuffle=True, random_state=0)
    head = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=300)
    )
    told = cross_val_predict(head, features, sample.label, groups=sample.group, cv=folds)
    assert 0.35 < balanced_accuracy_score(sample.label, told) < 0.85


def test_nearest_photograph_is_often_of_the_same_lesion(sample_features):
    # So a split that ignores lesions leaks: the sample can show what grouping is for.
    sample, features = sample_features
    scaled = StandardScaler().fit_transform(features)
    distance = np.linalg.norm(scaled[:, None] - scaled[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    same = sample.group[:, None] == sample.group[None]
    repeated = same.sum(axis=1) > 1
    found = sample.group[distance.argmin(axis=1)] == sample.group
    assert found[repeated].mean() > 0.3
