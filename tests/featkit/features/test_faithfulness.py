"""The bound that every default way of extraction keeps to, on real images and weights."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from featkit.backbones import load_backbone
from featkit.data import FileImages, load_dataset
from featkit.data.limit import limit_dataset
from featkit.evaluate import lesion_weights, paired_difference
from featkit.features import _choosing, extract
from featkit.features._choosing import agreement
from featkit.features._openvino import has_openvino

pytestmark = [pytest.mark.shared, pytest.mark.slow]

NETWORKS = ("mobilenetv2_100.tf_in1k", "mobilenetv1_100.tf_in1k", "mobilenetv2_100.inat_insect")


def reference(dataset, backbone):
    """Pillow, one image at a time, fp32: nothing of what is fast."""
    found = []
    for row in range(len(dataset)):
        pixels = torch.from_numpy(backbone.preprocessing.by_pillow(dataset.images.read(row)))
        with torch.inference_mode():
            found.append(backbone.features(pixels.permute(2, 0, 1)[None].contiguous())[0].numpy())
    return np.array(found)


@pytest.fixture
def fast_at_any_price(monkeypatch):
    """Let the first faster way be taken that keeps to the bound, however long all of it takes."""
    monkeypatch.setattr(_choosing, "_WORK_S", {"cpu": 0.0})
    monkeypatch.setattr(_choosing, "_SPEEDUP", 0.0)


@pytest.mark.long
@pytest.mark.usefixtures("fast_at_any_price")
@pytest.mark.parametrize("network", NETWORKS)
def test_the_default_way_keeps_to_the_bound(shared, fakes, tmp_path, network):
    files = sorted((shared / "fullres").glob("*.jpg"))
    dataset = fakes.dataset(3 * len(files), images=FileImages(files * 3))
    backbone = load_backbone(f"local-dir:{shared / 'weights' / network}")
    store = extract(dataset, backbone, tmp_path / "f.h5", device="cpu")
    expected = reference(dataset.select(np.arange(len(files))), backbone)
    cosine, error = agreement(np.tile(expected, (3, 1)), store.numpy())
    assert cosine.min() >= 0.999
    assert error.max() <= 0.02
    check = store.attributes["faithfulness"]
    tried = np.linspace(0, len(error) - 1, check["images"]).astype(int)
    assert check["error_max"] == pytest.approx(error[tried].max(), rel=0.01, abs=1e-6)
    assert store.attributes["runtime"] == ("openvino" if has_openvino() else "torch")


@pytest.mark.long
@pytest.mark.usefixtures("fast_at_any_price")
def test_a_probe_on_it_is_as_good(shared, tmp_path):
    """The paired interval of its balanced accuracy holds no difference to the reference."""
    dataset = limit_dataset(load_dataset(f"ham10000:{shared / 'ham10000'}"), 700)
    spec = f"local-dir:{shared / 'weights' / NETWORKS[0]}"
    backbone = load_backbone(spec, image_size=128)
    found = extract(dataset, backbone, tmp_path / "f.h5", device="cpu").numpy()
    lesions = np.unique(dataset.group)
    test = np.isin(dataset.group, lesions[::3])
    weights = lesion_weights(dataset.group[test], resamples=500, seed=0)
    right = []
    for features in (found, reference(dataset, backbone)):
        scale = features[~test].std(axis=0) + 1e-6
        probe = LogisticRegression(C=1e-3, class_weight="balanced", max_iter=300)
        probe.fit(features[~test] / scale, dataset.label[~test])
        right.append(probe.predict(features[test] / scale) == dataset.label[test])
    label = dataset.label[test]

    def balanced(correct, weights):
        recalls = [
            (weights * correct)[..., label == number].sum(-1)
            / np.maximum(weights[..., label == number].sum(-1), 1)
            for number in np.unique(label)
        ]
        return np.mean(recalls, axis=0)

    samples = [balanced(correct, weights) for correct in right]
    one = np.ones(len(label))
    point = float(balanced(right[0], one) - balanced(right[1], one))
    difference = paired_difference(*samples, point)
    assert difference.low <= 0 <= difference.high
    assert np.mean(right[0] == right[1]) > 0.97
