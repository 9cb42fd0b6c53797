import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from featkit.data import load_dataset
from featkit.data.decoding import file_hash
from featkit.data.sources import FileImages
from featkit.errors import DataError, StoreError, UsageError
from featkit.features import FeatureStore, _job, extract
from featkit.files import output_lock
from featkit.hardware.devices import available_cores

CPU = {"device": "cpu", "precision": "fp32", "workers": 2}
"""Options of most tests: the same on every machine."""


def plain_features(dataset, backbone, rows):
    """The oracle: one image at a time, fp32, no batches, threads or files."""
    found = []
    for row in rows:
        pixels = backbone.preprocessing(dataset.images.read(row)).astype(np.float32) / 255
        mean, std = backbone.preprocessing.mean, backbone.preprocessing.std
        image = torch.from_numpy((pixels - mean) / std).float().permute(2, 0, 1)[None]
        with torch.no_grad():
            found.append(backbone.network(image.contiguous())[0].numpy())
    return np.array(found)


def rows_of(path):
    """Everything in a feature file that depends on rows."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                found.update({name: item[...]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return found


def assert_same_rows(path, other):
    here, there = rows_of(path), rows_of(other)
    assert here.keys() == there.keys()
    for name, values in here.items():
        np.testing.assert_array_equal(values, there[name], err_msg=name, strict=True)


def test_features_are_those_of_a_plain_loop(tmp_path, dataset, backbone):
    store = extract(dataset, backbone, tmp_path / "f.h5", **CPU)
    rows = np.r_[0:40, 250:262, 590:600]
    expected = plain_features(dataset, backbone, rows)
    np.testing.assert_allclose(store.numpy(rows=rows), expected, rtol=1e-4, atol=1e-5)
    assert store.dtype == np.float32
    assert store.done.all()
    for name in ("image_id", "label", "group"):
        np.testing.assert_array_equal(getattr(store, name), getattr(dataset, name))
    np.testing.assert_array_equal(store.metadata["age"], dataset.metadata["age"])
    assert store.classes == dataset.classes


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_reduced_precision_stays_within_its_bound(tmp_path, fakes, precision):
    dataset, backbone = fakes.dataset(256), fakes.backbone()
    options = {**CPU, "precision": precision}
    store = extract(dataset, backbone, tmp_path / "f.h5", **options)
    expected = plain_features(dataset, backbone, range(256))
    found = store.numpy()
    cosine = (found * expected).sum(1) / np.linalg.norm(found, axis=1)
    cosine /= np.linalg.norm(expected, axis=1)
    assert cosine.min() >= 0.999
    assert store.dtype == np.float16
    check = store.attributes["faithfulness"]
    assert (check["precision"], check["images"]) == (precision, 4)
    tried = cosine[[0, 85, 170, 255]]
    assert check["cosine_min"] == pytest.approx(tried.min(), abs=1e-4)


def test_the_file_does_not_depend_on_workers(tmp_path, dataset, backbone):
    one = extract(dataset, backbone, tmp_path / "1.h5", **{**CPU, "workers": 1})
    many = extract(dataset, backbone, tmp_path / "7.h5", **{**CPU, "workers": 7})
    assert_same_rows(one.path, many.path)


def test_view_zero_is_plain_and_more_views_change_no_other(tmp_path, fakes):
    dataset, backbone = fakes.dataset(40), fakes.backbone()
    plain = extract(dataset, backbone, tmp_path / "1.h5", **CPU)
    two = extract(dataset, backbone, tmp_path / "2.h5", views=2, **CPU)
    four = extract(dataset, backbone, tmp_path / "4.h5", views=4, batch_size=3, **CPU)
    assert four.numpy(views="all").shape == (40, 4, backbone.dimension)
    np.testing.assert_allclose(four.numpy(), plain.numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        four.numpy(views="all")[:, :2], two.numpy(views="all"), rtol=1e-4, atol=1e-5
    )
    first, second = four.numpy(views="all")[:, 1], four.numpy(views="all")[:, 2]
    assert (np.abs(first - second).max(axis=1) > 1e-3).all()


def test_bad_images_are_read_rightly_or_listed_and_rows_stay_aligned(tmp_path, fakes):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8))
    good = tmp_path / "good.png"
    image.save(good)
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("not an image at all")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:900])
    image.convert("CMYK").save(tmp_path / "cmyk.jpg")
    image.convert("P").save(tmp_path / "palette.png")
    Image.new("RGB", (20_000, 2)).save(tmp_path / "strip.png")
    names = ["good.png", "empty.jpg", "cmyk.jpg", "text.jpg", "cut.png", "palette.png"]
    names += ["gone.png", "strip.png", "good.png"]
    paths = [tmp_path / name for name in names]
    dataset = fakes.dataset(len(names), images=FileImages(paths))
    backbone = fakes.backbone()
    store = extract(dataset, backbone, tmp_path / "f.h5", **CPU)
    assert store.done.tolist() == [True, False, True, False, False, True, False, False, True]
    assert store.failures["image1"] == "0 bytes"
    assert store.failures["image3"] == "not an image"
    assert "truncated" in store.failures["image4"]
    assert store.failures["image6"] == "file not found"
    assert "20000 x 2 px" in store.failures["image7"]
    assert set(store.failures) == set(store.image_id[~store.done])
    expected = plain_features(dataset, backbone, np.flatnonzero(store.done))
    np.testing.assert_allclose(store.numpy(rows=store.done), expected, rtol=1e-4, atol=1e-5)
    assert np.isnan(store.numpy(rows=~store.done)).all()
    assert store.image_hash[0] == store.image_hash[8] != store.image_hash[2]
    assert set(store.image_hash[~store.done]) == {""}


def test_no_image_at_all(tmp_path, fakes):
    dataset = fakes.dataset(5, broken=dict.fromkeys(range(5), "0 bytes"))
    with pytest.raises(DataError, match=r"none of the 5 images of fake:noise .* 0 bytes"):
        extract(dataset, fakes.backbone(), tmp_path / "f.h5", **CPU)
    assert not list(tmp_path.glob("f.h5*"))
    with pytest.raises(DataError, match="has no images"):
        extract(fakes.dataset(0), fakes.backbone(), tmp_path / "f.h5", **CPU)


def test_features_beyond_half_precision_are_failures_that_name_it(tmp_path, fakes):
    backbone = fakes.backbone(fakes.network(scale=220.0))
    exact = extract(fakes.dataset(40), backbone, tmp_path / "32.h5", **CPU)
    options = {**CPU, "precision": "bf16"}
    store = extract(fakes.dataset(40), backbone, tmp_path / "16.h5", **options)
    over = np.abs(exact.numpy()).max(axis=1) > 65_504 * 1.02
    assert over.any() and not over.all()
    assert not store.done[over].any()
    assert store.done[np.abs(exact.numpy()).max(axis=1) < 65_504 / 1.02].all()
    assert all("precision bf16" in reason for reason in store.failures.values())


@pytest.mark.parametrize(("reported", "kept"), [(1, 0), (256, 0), (288, 256), (600, 512)])
def test_an_interrupted_job_continues_to_the_same_file(tmp_path, fakes, reported, kept):
    dataset, backbone = fakes.dataset(broken={5: "0 bytes", 400: "0 bytes"}), fakes.backbone()
    out = tmp_path / "f.h5"
    with pytest.raises(KeyboardInterrupt):
        extract(dataset, backbone, out, progress=fakes.recorder(stop_after=reported), **CPU)
    assert not out.exists()
    recorder = fakes.recorder()
    extract(dataset, backbone, out, progress=recorder, **CPU)
    # The last images reported belong to a part that was not written yet.
    assert recorder.starts == [("extract fake:small", 600, kept, "images")]
    assert recorder.advanced == 600 - kept
    assert recorder.notes[-1] == "2 failed"
    assert sorted(item.name for item in tmp_path.iterdir()) == [".f.h5.lock", "f.h5"]
    whole = extract(dataset, backbone, tmp_path / "whole.h5", **CPU)
    assert_same_rows(out, whole.path)


SCRIPT = """
import os, random, resource, signal, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from conftest import Recorder, make_backbone, make_dataset
from featkit.errors import StoreError
from featkit.features import extract

class Killer(Recorder):
    def advance(self, amount, *, note=""):
        super().advance(amount, note=note)
        if self.advanced >= 300:
            os.kill(os.getpid(), signal.SIGKILL)

options = dict(device="cpu", precision="fp32", workers=2)
child = os.fork()
if child == 0:
    extract(make_dataset(), make_backbone(), sys.argv[2], progress=Killer(), **options)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(*sorted(os.listdir(sys.argv[2] + ".parts")))
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
noise = np.array([random.randbytes(40).hex() for row in range(600)])
try:
    extract(make_dataset(metadata={"noise": noise}), make_backbone(), sys.argv[2], **options)
except StoreError as error:
    print(error)
"""


def test_kill_9_and_then_a_full_disk_lose_nothing(tmp_path, dataset, backbone):
    out = tmp_path / "f.h5"
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(Path(__file__).parent), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # Parts (47 kB) fit, the file (over 70 kB) does not: HDF5 must neither crash nor complain.
    assert (done.returncode, done.stderr) == (0, "")
    killed, left, full = done.stdout.splitlines()
    assert int(killed) == -signal.SIGKILL
    assert left == "manifest.json part-000000.npz"
    assert "disk or quota is full" in full
    assert not out.exists()
    assert len(list((tmp_path / "f.h5.parts").glob("part-*.npz"))) == 3
    store = extract(dataset, backbone, out, **CPU)
    whole = extract(dataset, backbone, tmp_path / "whole.h5", **CPU)
    assert_same_rows(store.path, whole.path)


def test_what_a_killed_process_left_is_cleared(tmp_path, fakes):
    dataset, backbone, out = fakes.dataset(), fakes.backbone(), tmp_path / "f.h5"
    with pytest.raises(KeyboardInterrupt):
        extract(dataset, backbone, out, progress=fakes.recorder(stop_after=300), **CPU)
    (tmp_path / ".f.h5.123.tmp").write_text("half a file")
    (tmp_path / "f.h5.parts" / ".part-000001.npz.123.tmp").write_text("half a part")
    extract(dataset, backbone, out, **CPU)
    assert sorted(item.name for item in tmp_path.iterdir()) == [".f.h5.lock", "f.h5"]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "swapped"])
def test_a_damaged_part_is_made_again(tmp_path, fakes, damage):
    dataset, backbone, out = fakes.dataset(), fakes.backbone(), tmp_path / "f.h5"
    with pytest.raises(KeyboardInterrupt):
        extract(dataset, backbone, out, progress=fakes.recorder(stop_after=530), **CPU)
    part = tmp_path / "f.h5.parts" / "part-000000.npz"
    content = bytearray(part.read_bytes())
    if damage == "flipped":
        content[len(content) // 3] ^= 255
    kept = {"cut": content[:-50], "empty": b"", "flipped": content, "swapped": b"PK\3\4 what?"}
    part.write_bytes(kept[damage])
    recorder = fakes.recorder()
    extract(dataset, backbone, out, progress=recorder, **CPU)
    assert recorder.starts[0][2] == 256
    whole = extract(dataset, backbone, tmp_path / "whole.h5", **CPU)
    assert_same_rows(out, whole.path)


def test_a_finished_file_is_returned_at_once(tmp_path, fakes, monkeypatch):
    dataset, out = fakes.dataset(50), tmp_path / "f.h5"
    first = extract(dataset, fakes.backbone(), out, **CPU)
    before = out.stat()
    monkeypatch.setattr(fakes.images, "read", lambda *_: pytest.fail("an image was read"))
    recorder = fakes.recorder()
    again = extract(dataset, fakes.backbone(), out, device="cpu", progress=recorder)
    assert again.fingerprint == first.fingerprint
    assert out.stat().st_mtime_ns == before.st_mtime_ns
    assert recorder.starts == [(f"{out} is already there", 50, 50, "images")]
    assert recorder.finished == 1


@pytest.mark.parametrize("unfinished", [False, True])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights_sha256": "cd" * 32}, "backbone differs .there small weights abababab; asked"),
        ({"pooling": "cls"}, "pooling differs .there default; asked for cls"),
        ({"mean": (0.1,) * 3}, r"preprocessing .mean. differs .there \[0.5"),
        ({"precision": "bf16"}, "precision differs .there fp32; asked for bf16"),
        ({"views": 2}, "number of views differs .there 1; asked for 2"),
        ({"version": "2"}, "data set differs .there fake:noise 300 images"),
    ],
)
def test_features_of_another_job_are_refused_by_name(tmp_path, fakes, change, words, unfinished):
    out = tmp_path / "f.h5"
    stop = fakes.recorder(stop_after=270 if unfinished else None)
    try:
        extract(fakes.dataset(300), fakes.backbone(), out, progress=stop, **CPU)
    except KeyboardInterrupt:
        assert unfinished
    place = tmp_path / "f.h5.parts" / "part-000000.npz" if unfinished else out
    before = place.read_bytes()
    backbone, dataset, options = fakes.backbone(), fakes.dataset(300), dict(CPU)
    if "mean" in change:
        sound = backbone.preprocessing
        odd = replace(sound, **change)
        backbone = fakes.backbone(preprocessing=odd)
    elif "version" in change:
        dataset = fakes.dataset(300, **change)
    elif {"precision", "views"} & change.keys():
        options |= change
    else:
        backbone = fakes.backbone(**change)
    with pytest.raises(StoreError, match=words) as caught:
        extract(dataset, backbone, out, **options)
    assert caught.value.cause.count("differs") == 1
    assert "--fresh" in caught.value.remedy
    assert place.read_bytes() == before
    store = extract(dataset, backbone, out, fresh=True, **options)
    assert store.done.all()
    assert not (tmp_path / "f.h5.parts").exists()


def test_fresh_replaces_the_file_only_when_the_new_one_is_whole(tmp_path, fakes):
    dataset, out = fakes.dataset(300), tmp_path / "f.h5"
    extract(dataset, fakes.backbone(), out, **CPU)
    old = out.read_bytes()
    other = fakes.backbone(fakes.network(scale=2.0), weights_sha256="cd" * 32)
    with pytest.raises(KeyboardInterrupt):
        extract(dataset, other, out, fresh=True, progress=fakes.recorder(stop_after=280), **CPU)
    assert out.read_bytes() == old
    recorder = fakes.recorder()
    store = extract(dataset, other, out, fresh=True, progress=recorder, **CPU)
    assert recorder.starts[0][2] == 256  # the same command continues
    assert store.attributes["backbone"]["weights_sha256"] == "cd" * 32


def test_fresh_does_not_trust_the_parts_of_a_job_that_was_not(tmp_path, fakes):
    dataset, backbone, out = fakes.dataset(300), fakes.backbone(), tmp_path / "f.h5"
    with pytest.raises(KeyboardInterrupt):
        extract(dataset, backbone, out, progress=fakes.recorder(stop_after=280), **CPU)
    recorder = fakes.recorder()
    extract(dataset, backbone, out, fresh=True, progress=recorder, **CPU)
    assert recorder.starts[0][2] == 0


def test_auto_takes_the_precision_that_the_job_was_begun_with(tmp_path, fakes):
    dataset, backbone, out = fakes.dataset(300), fakes.backbone(), tmp_path / "f.h5"
    options = {**CPU, "precision": "bf16"}
    with pytest.raises(KeyboardInterrupt):
        extract(dataset, backbone, out, progress=fakes.recorder(stop_after=280), **options)
    store = extract(dataset, backbone, out, **{**CPU, "precision": "auto"})
    assert store.attributes["precision"] == "bf16"


def test_a_file_that_cannot_be_read_is_not_replaced_unasked(tmp_path, fakes):
    out = tmp_path / "f.h5"
    out.write_text("my diary")
    with pytest.raises(StoreError, match=r"not an HDF5 file.*--fresh"):
        extract(fakes.dataset(5), fakes.backbone(), out, **CPU)
    assert out.read_text() == "my diary"
    with pytest.raises(StoreError, match="it is a folder"):
        extract(fakes.dataset(5), fakes.backbone(), tmp_path, fresh=True, **CPU)


def test_two_writers(tmp_path, fakes):
    out = tmp_path / "f.h5"
    with output_lock(out), pytest.raises(StoreError, match="written by another process"):
        extract(fakes.dataset(5), fakes.backbone(), out, **CPU)


def test_places_that_cannot_be_written(tmp_path, fakes, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="a file stands where a folder is needed"):
        extract(fakes.dataset(5), fakes.backbone(), tmp_path / "file" / "f.h5", **CPU)

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError, match=r"no permission to write there.*--out"):
        extract(fakes.dataset(5), fakes.backbone(), tmp_path / "new" / "f.h5", **CPU)


def test_a_disk_that_fills_up_during_a_part(tmp_path, fakes, monkeypatch):
    dataset, backbone, out = fakes.dataset(), fakes.backbone(), tmp_path / "f.h5"
    write = Path.write_bytes

    def full(self, data):
        if "part-000001" in self.name:
            raise OSError(28, "No space left on device")
        return write(self, data)

    with monkeypatch.context() as patch, pytest.raises(StoreError, match="disk or quota is full"):
        patch.setattr(Path, "write_bytes", full)
        extract(dataset, backbone, out, **CPU)
    assert [item.name for item in (tmp_path / "f.h5.parts").glob("part*")] == ["part-000000.npz"]
    recorder = fakes.recorder()
    extract(dataset, backbone, out, progress=recorder, **CPU)
    assert recorder.starts[0][2] == 256


def test_errors_that_are_no_ones_bad_image_are_not_swallowed(tmp_path, fakes):
    dataset = fakes.dataset(40, broken={7: MemoryError("out of memory")})
    with pytest.raises(MemoryError):
        extract(dataset, fakes.backbone(), tmp_path / "f.h5", **CPU)


def test_running_out_of_memory_halves_the_batch(tmp_path, fakes):
    class Small(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = fakes.network()

        def forward(self, pixels):
            if len(pixels) > 5:
                raise torch.OutOfMemoryError("tried to allocate 7 EiB")
            return self.inner(pixels)

    dataset = fakes.dataset(70)
    store = extract(dataset, fakes.backbone(Small()), tmp_path / "f.h5", **CPU)
    assert store.attributes["cost"]["batch_size"] == 4
    expected = extract(dataset, fakes.backbone(), tmp_path / "g.h5", **CPU)
    np.testing.assert_allclose(store.numpy(), expected.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 0}, "--batch-size 0"),
        ({"views": 0}, "--views 0"),
        ({"workers": -1}, "--workers -1"),
        ({"precision": "int8"}, "--precision int8"),
        ({"device": "tpu"}, "--device tpu: there is no such kind"),
        ({"device": "cuda:99"}, "--device cuda:99: this computer has no such device"),
    ],
)
def test_options_that_cannot_be_meant(tmp_path, fakes, options, words):
    with pytest.raises(UsageError, match=words):
        extract(fakes.dataset(5), fakes.backbone(), tmp_path / "f.h5", **options)
    assert not list(tmp_path.iterdir())


def test_threads_and_the_network_are_left_as_they_were(tmp_path, fakes):
    backbone, threads = fakes.backbone(), torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt):
        extract(
            fakes.dataset(), backbone, tmp_path / "f.h5",
            progress=fakes.recorder(stop_after=64), **CPU,
        )  # fmt: skip
    assert not [thread for thread in threading.enumerate() if "featkit" in thread.name]
    assert torch.get_num_threads() == threads
    assert next(backbone.network.parameters()).device.type == "cpu"


def test_what_is_known_of_the_making_is_written_down(whole):
    made = FeatureStore.open(whole).attributes
    assert made["schema"] == 1
    assert made["backbone"]["spec"] == "fake:small"
    assert made["image_size"] == [16, 16]
    assert made["dataset"]["name"] == "fake:noise"
    assert made["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert made["cost"]["images_per_second"] == pytest.approx(600 / made["cost"]["wall_seconds"])
    assert 0 < made["cost"]["device_seconds"] <= made["cost"]["wall_seconds"]
    cores = available_cores()
    assert 0 < made["cost"]["worked_seconds"] < 1.5 * cores * made["cost"]["wall_seconds"]
    assert made["cost"]["peak_memory_bytes"] > 10e6
    assert made["cost"]["workers"] == 2
    assert made["device"].startswith("cpu: ")
    assert made["created"].endswith("+00:00")


def test_a_copy_of_the_file_is_as_good(whole, tmp_path):
    copy = Path(shutil.copy(whole, tmp_path / "copy.h5"))
    assert FeatureStore.open(copy).fingerprint == FeatureStore.open(whole).fingerprint


def test_parts_whose_removal_was_interrupted_are_cleared(tmp_path, fakes):
    dataset, backbone, out = fakes.dataset(50), fakes.backbone(), tmp_path / "f.h5"
    extract(dataset, backbone, out, **CPU)
    parts = tmp_path / "f.h5.parts"
    parts.mkdir()
    # The manifest goes first, so a process killed meanwhile leaves parts alone.
    (parts / "part-000000.npz").write_text("features")
    extract(dataset, backbone, out, **CPU)
    assert not parts.exists()


@pytest.fixture
def any_decoder(monkeypatch):
    """Let a CPU stand for a GPU that decodes."""
    pytest.importorskip("torchcodec", reason="needs the extra gpu")
    monkeypatch.setattr(_job, "check_decoder", lambda *_, **__: None)


def decoded_by(backbone, decoder):
    return replace(backbone, preprocessing=replace(backbone.preprocessing, decoder=decoder))


@pytest.mark.usefixtures("any_decoder")
def test_a_device_that_decodes_gives_the_features_of_the_host(tmp_path, fakes):
    folder = fakes.photos(tmp_path / "images", 300)
    (folder / "a" / "0010.jpg").write_bytes(b"")
    dataset, backbone = load_dataset(f"folder:{folder}"), fakes.backbone()
    host = extract(dataset, backbone, tmp_path / "host.h5", **CPU)
    device = extract(dataset, decoded_by(backbone, "gpu"), tmp_path / "device.h5", **CPU)
    np.testing.assert_allclose(device.numpy(), host.numpy(), rtol=0.02, atol=0.02)
    assert dict(device.failures) == dict(host.failures)
    assert device.attributes["preprocessing"]["decoder"] == "gpu"
    check = device.attributes["faithfulness"]
    assert check["images"] >= 3
    assert check["cosine_min"] > 0.999
    files = {path.stem: file_hash(path.read_bytes()) for path in folder.rglob("*.jpg")}
    known = [files[Path(name).stem] if done else "" for name, done in zip(
        device.image_id, device.done, strict=True)]  # fmt: skip
    assert device.image_hash.tolist() == known


@pytest.mark.usefixtures("any_decoder")
def test_an_interrupted_job_of_a_device_that_decodes(tmp_path, fakes):
    folder = fakes.photos(tmp_path / "images", 600)
    dataset = load_dataset(f"folder:{folder}")
    backbone = decoded_by(fakes.backbone(), "gpu")
    whole, out = tmp_path / "whole.h5", tmp_path / "f.h5"
    extract(dataset, backbone, whole, **CPU)
    stop = fakes.recorder(stop_after=300)
    with pytest.raises(KeyboardInterrupt):
        extract(dataset, backbone, out, progress=stop, **CPU)
    with pytest.raises(StoreError, match=r"preprocessing \(decoder\) differs"):
        extract(dataset, decoded_by(backbone, "cpu"), out, **CPU)
    extract(dataset, backbone, out, **CPU)
    assert_same_rows(out, whole)
    assert not [thread for thread in threading.enumerate() if "featkit" in thread.name]


def test_a_gpu_that_is_not_there_decodes_nothing(tmp_path, fakes, dataset):
    with pytest.raises(UsageError, match="--decoder gpu: cpu is no NVIDIA GPU"):
        extract(dataset, decoded_by(fakes.backbone(), "gpu"), tmp_path / "f.h5", **CPU)
