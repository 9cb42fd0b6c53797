import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from featkit.backbones import load_backbone
from featkit.data import synthetic_dataset
from featkit.data.shards import ShardImages
from featkit.data.sources import ArrayImages, FileImages
from featkit.errors import StoreError
from featkit.features import _worker
from featkit.features._filling import Filling
from featkit.features._networks import Way
from featkit.features._parts import PartFolder
from featkit.features._worker import Worker, orders_of
from featkit.hardware.sharing import shared

cloudpickle = pytest.importorskip("ray.cloudpickle", reason="needs Ray (the extra `ray`)")


@pytest.fixture
def orders(tmp_path, monkeypatch):
    """What a worker is told of an extraction of five small images."""
    monkeypatch.setenv("FEATKIT_CORES", "1")  # joining sets it
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.h5.parts").mkdir()
    for row in range(5):
        Path(f"{row}.jpg").write_bytes(bytes(row + 1))
    filling = Filling(PartFolder(Path("f.h5.parts")), None, (5, 1, 12), "fp32", 4, 2)
    with shared(Path("f.h5.parts")) as folder:
        images = FileImages([f"{row}.jpg" for row in range(5)])
        yield orders_of(filling, images, Way("fp32"), 2, folder, decoder="cpu")


@pytest.fixture
def worker():
    threads = torch.get_num_threads()
    yield Worker(torch.device("cpu"), 1, 1)
    torch.set_num_threads(threads)


def test_relative_paths_are_those_of_where_the_command_was_given(
    orders, worker, backbone, tmp_path, monkeypatch
):
    monkeypatch.chdir("/")
    assert worker.join(backbone, orders).device.startswith("cpu")
    assert orders.filling.folder.path == tmp_path / "f.h5.parts"
    assert Path.cwd() == tmp_path
    assert not list(tmp_path.glob("f.h5.parts/.shared-*-*"))


def test_a_machine_with_other_software(orders, worker, backbone):
    other = replace(orders, versions={**orders.versions, "timm": "0.1"})
    with pytest.raises(StoreError, match=r"has timm .*, the command 0\.1: .* Install the same"):
        worker.join(backbone, other)


def test_decoders_count_where_a_gpu_decodes(orders, worker, backbone, monkeypatch):
    made = partial(orders_of, orders.filling, orders.sample, orders.way, 2, orders.folder)
    assert "torchcodec" not in made(decoder="cpu").versions
    for there, here in (("0.1", "0.2"), ("0.1", None), (None, "0.2")):
        monkeypatch.setattr(_worker, "software_versions", installed(there))
        other = made(decoder="gpu")
        monkeypatch.setattr(_worker, "software_versions", installed(here))
        words = f"has torchcodec {here or 'not at all'}, the command {there or 'not at all'}"
        with pytest.raises(StoreError, match=words):
            worker.join(backbone, other)


def installed(version):
    """Return a stand-in for `software_versions` where torchcodec alone is installed, if at all."""
    return lambda names: {name: version for name in names if name == "torchcodec" and version}


@pytest.mark.parametrize("change", ["missing", "other"])
def test_a_machine_with_other_images(orders, worker, backbone, change):
    if change == "missing":
        Path("3.jpg").unlink()
    else:
        Path("3.jpg").write_bytes(b"other")
    with pytest.raises(StoreError, match="does not see the same images"):
        worker.join(backbone, orders)


def test_a_machine_without_the_folder(orders, worker, backbone):
    os.rename("f.h5.parts", "elsewhere")  # noqa: PTH104
    with pytest.raises(StoreError, match=r"does not see the folder .*f\.h5\.parts: .* share"):
        worker.join(backbone, orders)
    os.rename("elsewhere", "f.h5.parts")  # noqa: PTH104


def test_a_folder_of_files_like_a_machine_s_own_copy(orders, worker, backbone):
    for token in Path("f.h5.parts").glob(".shared-*"):
        token.unlink()
    with pytest.raises(StoreError, match="does not see the folder"):
        worker.join(backbone, orders)


def sources(folder):
    drawn = synthetic_dataset(images=42, size=32).images
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    paths = []
    for row in range(6):
        paths.append(folder / f"{row}.png")
        drawn.read(row).save(paths[-1])
    (folder / "shard.tar").write_bytes(b"".join(path.read_bytes() for path in paths))
    sizes = np.array([path.stat().st_size for path in paths])
    shards = ShardImages(
        [str(folder / "shard.tar")],
        tokens=[""],
        shard=np.zeros(6, np.int32),
        offset=np.cumsum(sizes) - sizes,
        size=sizes,
    )
    return {
        "files": FileImages(paths),
        "array": ArrayImages(pixels),
        "shards": shards,
        "drawn": drawn,
    }


@pytest.mark.parametrize("kind", ["files", "array", "shards", "drawn"])
def test_every_source_can_be_sent_in_pieces(tmp_path, kind):
    source = sources(tmp_path)[kind]
    piece = source.select(np.array([1, 4]))
    sent = cloudpickle.loads(cloudpickle.dumps(piece))
    for mine, row in enumerate((1, 4)):
        np.testing.assert_array_equal(np.array(sent.read(mine)), np.array(source.read(row)))
        assert sent.signature(mine) == source.signature(row)


@pytest.mark.parametrize("size", [10_000, 20_000])
def test_a_piece_is_as_small_as_its_rows(size):
    source = FileImages([f"/a/folder/{row:08d}.jpg" for row in range(size)])
    assert len(cloudpickle.dumps(source.select(np.arange(100)))) < 10_000


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        ("featkit:tiny", {}),
        ("timm:resnet18", {"pooling": "avg"}),
        ("timm:vit_tiny_patch16_224", {"pooling": "cls+avg"}),
        ("timm:resnet18", {"pooling": "logits"}),
        ("torchvision:resnet18", {}),
    ],
)
def test_every_backbone_can_be_sent(spec, options):
    random = {} if spec.startswith("featkit") else {"random_weights": True}
    backbone = load_backbone(spec, **options, **random)
    sent = cloudpickle.loads(cloudpickle.dumps(backbone))
    height, width = backbone.preprocessing.crop
    pixels = torch.zeros(1, 3, height, width, dtype=torch.uint8)
    with torch.no_grad():
        assert torch.equal(sent.features(pixels), backbone.features(pixels))
    assert sent.fingerprint == backbone.fingerprint
