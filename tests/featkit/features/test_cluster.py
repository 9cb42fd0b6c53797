import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from featkit.backbones import load_backbone
from featkit.data import load_dataset
from featkit.data.sources import FileImages
from featkit.errors import StoreError, UsageError
from featkit.features import FeatureStore, _cluster, _job, extract

pytest.importorskip("ray", reason="needs Ray (the extra `ray`)")
pytestmark = pytest.mark.slow

CPU = {"device": "cpu", "precision": "fp32"}
COUNT, PART, BROKEN = 1200, 256, (3, 700, 1199)


class LoggedImages(FileImages):
    """Writes down who reads which row; kills its process at a row, so many times.

    At the row `held` it waits for the file `go`.
    """

    def __init__(self, paths, log, *, deadly=None, times=1, held=None):
        super().__init__(paths)
        self.log, self.deadly, self.times, self.held = log, deadly, times, held

    def data(self, row):
        path = self.paths[row]
        with (self.log / "reads").open("a") as log:
            log.write(f"{Path(path).stem} {os.getpid()}\n")
        while Path(path).stem == self.held and not (self.log / "go").exists():
            time.sleep(0.05)
        if self.deadly is not None and Path(path).stem == self.deadly:
            self.die()
        return super().data(row)

    def die(self):
        earlier = len(list(self.log.glob("death-*")))
        if earlier < self.times:
            parts = "\n".join(path.name for path in self.log.glob("f.h5.parts/part-*"))
            (self.log / f"death-{earlier}").write_text(parts)
            os.kill(os.getpid(), signal.SIGKILL)

    def select(self, rows):
        paths = [self.paths[row] for row in rows]
        options = {"deadly": self.deadly, "times": self.times, "held": self.held}
        return LoggedImages(paths, self.log, **options)


@pytest.fixture(scope="module", autouse=True)
def by_value():
    """Workers cannot import this module."""
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Image files; some hold nothing."""
    folder = tmp_path_factory.mktemp("images")
    found = [folder / "ab"[row % 2] / f"{row}.bmp" for row in range(COUNT)]
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    rng = np.random.default_rng(0)
    for row, path in enumerate(found):
        pixels = rng.integers(row % 100, 256, (20 + row % 5, 26, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    for row in BROKEN:
        found[row].write_bytes(b"")
    return found


@pytest.fixture
def images(paths, fakes):
    """Make a Dataset of the files."""
    return lambda **fields: fakes.dataset(COUNT, **{"images": FileImages(paths), **fields})


@pytest.fixture
def local(tmp_path, images, backbone):
    """What the local engine makes of them."""
    return extract(images(), backbone, tmp_path / "local" / "f.h5", **CPU)


def assert_same(store, other):
    assert (store.shape, store.dtype, store.classes) == (other.shape, other.dtype, other.classes)
    np.testing.assert_array_equal(store.numpy(views="all"), other.numpy(views="all"))
    for name in ("image_id", "label", "group", "done", "image_hash", "split", "trained_on"):
        np.testing.assert_array_equal(getattr(store, name), getattr(other, name), err_msg=name)
    assert dict(store.failures) == dict(other.failures)
    for name, column in store.metadata.items():
        np.testing.assert_array_equal(column, other.metadata[name])
    ours, theirs = dict(store.attributes), dict(other.attributes)
    for free in ("cost", "created", "device", "shards"):
        ours.pop(free, None)
        theirs.pop(free, None)
    assert ours == theirs


def reads(folder):
    """Return how often workers read each row (the trial's images are read by this process)."""
    lines = [line.split() for line in (folder / "reads").read_text().splitlines()]
    return Counter(int(row) for row, pid in lines if int(pid) != os.getpid())


def test_the_same_store_as_the_local_engine(tmp_path, images, backbone, local, on_ray, fakes):
    recorder = fakes.recorder()
    out = tmp_path / "f.h5"
    store = extract(images(), backbone, out, engine="ray", progress=recorder, **CPU)
    assert_same(store, local)
    assert len(store.failures) == len(BROKEN)
    assert recorder.starts == [("extract fake:small", COUNT, 0, "images")]
    assert (recorder.advanced, recorder.notes[-1]) == (COUNT, "3 failed")
    cost = store.attributes["cost"]
    assert (cost["devices"] in {1, 2}, cost["machines"]) == (True, 1)  # one may come too late
    assert cost["worked_seconds"] > 0
    assert sorted(item.name for item in tmp_path.iterdir()) == [".f.h5.lock", "f.h5", "local"]


def test_a_killed_worker_costs_its_unfinished_parts_alone(
    tmp_path, paths, images, backbone, local, on_ray, fakes, monkeypatch
):
    monkeypatch.setattr(_cluster, "_UNITS", 1)  # of parts 0 to 2, and 3 to 4
    deadly = PART + 200  # decoded when part 0 has been written
    source = LoggedImages(paths, tmp_path, deadly=str(deadly))
    recorder = fakes.recorder()
    store = extract(
        images(images=source), backbone, tmp_path / "f.h5", engine="ray", progress=recorder, **CPU
    )
    assert_same(store, local)
    assert (recorder.advanced, recorder.notes[-1]) == (COUNT, "3 failed")
    written = [int(name[5:11]) for name in (tmp_path / "death-0").read_text().split()]
    assert 0 in written
    assert 1 not in written
    found = reads(tmp_path)
    assert len(found) == COUNT
    assert found[deadly] == 2
    for row, times in found.items():
        again = row // PART in {1, 2}  # the part at hand, and what was decoded ahead of it
        assert times <= 1 + again, row


def test_what_one_engine_began_in_shards_the_other_continues(
    tmp_path, paths, images, backbone, local, on_ray, fakes, monkeypatch
):
    monkeypatch.setattr(_job, "_ONE_FILE", 100)
    monkeypatch.setattr(_job, "_SHARD_ROWS", 2 * PART)
    # Of the two parts that are left to the cluster, it can write one before it is interrupted.
    source = LoggedImages(paths, tmp_path, held=str(4 * PART + 50))
    dataset, out = images(images=source), tmp_path / "f.h5"
    with pytest.raises(KeyboardInterrupt):
        extract(dataset, backbone, out, progress=fakes.recorder(stop_after=800), **CPU)
    (tmp_path / "reads").unlink()
    recorder = fakes.recorder(stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        extract(dataset, backbone, out, engine="ray", progress=recorder, **CPU)
    assert recorder.starts[0][1:3] == (COUNT, 3 * PART)
    assert min(reads(tmp_path)) >= 3 * PART  # nothing before is done again
    (tmp_path / "reads").unlink()
    (tmp_path / "go").touch()
    recorder = fakes.recorder()
    store = extract(dataset, backbone, out, engine="ray", progress=recorder, **CPU)
    assert recorder.starts[0][1:3] == (COUNT, 4 * PART)
    assert recorder.notes[-1] == "3 failed"
    assert_same(store, local)
    assert store.shards == 3
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [".f.h5.lock", "f.h5", "f.h5.shards", "go", "local", "reads"]


def test_an_image_that_always_kills_is_an_error(tmp_path, paths, images, backbone, on_ray):
    source = LoggedImages(paths, tmp_path, deadly="700", times=9)
    with pytest.raises(StoreError, match="4 workers were lost on the same images"):
        extract(images(images=source), backbone, tmp_path / "f.h5", engine="ray", **CPU)
    assert len(list((tmp_path / "f.h5.parts").glob("part-*"))) >= 2


class Fatal(LoggedImages):
    """Kills its process when a worker asks for a signature, so many times."""

    def signature(self, row):
        if os.getpid() != int((self.log / "here").read_text()):
            self.die()
        return super().signature(row)

    def select(self, rows):
        return Fatal([self.paths[row] for row in rows], self.log, times=self.times)


def test_a_worker_that_is_lost_while_it_joins(
    tmp_path, paths, images, backbone, local, on_ray, monkeypatch
):
    class Slow(_cluster.Worker):
        def __init__(self, *args):
            super().__init__(*args)
            if list(log.glob("death-*")):
                time.sleep(12)  # longer than Ray would try a call again for, four times

    log = tmp_path
    monkeypatch.setattr(_cluster, "Worker", Slow)
    (tmp_path / "here").write_text(str(os.getpid()))
    source = Fatal(paths, tmp_path, times=2)
    store = extract(images(images=source), backbone, tmp_path / "f.h5", engine="ray", **CPU)
    assert_same(store, local)
    assert len(list(tmp_path.glob("death-*"))) == 2


@pytest.mark.long
def test_workers_that_are_always_lost_while_they_join(tmp_path, paths, images, backbone, on_ray):
    (tmp_path / "here").write_text(str(os.getpid()))
    source = Fatal(paths, tmp_path, times=99)
    with pytest.raises(StoreError, match=r"lost 4 times while they made ready: .*memory"):
        extract(images(images=source), backbone, tmp_path / "f.h5", engine="ray", **CPU)


@pytest.fixture
def lost_in_choosing(tmp_path, monkeypatch):
    """Have workers killed while they choose, the first so many of them."""

    def lose(times):
        class Choosing(_cluster.Worker):
            def choose(self, *args):
                earlier = len(list(tmp_path.glob("death-*")))
                if earlier < times:
                    (tmp_path / f"death-{earlier}").touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().choose(*args)

        monkeypatch.setattr(_cluster, "Worker", Choosing)

    return lose


def test_a_worker_that_is_lost_while_it_chooses(
    tmp_path, images, backbone, local, on_ray, lost_in_choosing
):
    lost_in_choosing(1)
    store = extract(images(), backbone, tmp_path / "f.h5", engine="ray", **CPU)
    assert (tmp_path / "death-0").exists()
    assert_same(store, local)


@pytest.mark.long
def test_workers_that_are_always_lost_while_they_choose(
    tmp_path, images, backbone, on_ray, lost_in_choosing
):
    lost_in_choosing(99)
    with pytest.raises(StoreError, match=r"lost 4 times while they made ready: .*memory"):
        extract(images(), backbone, tmp_path / "f.h5", engine="ray", **CPU)
    assert len(list(tmp_path.glob("death-*"))) == 4


def test_a_machine_that_does_not_see_the_folder(tmp_path, images, backbone, on_ray, monkeypatch):
    # What such a machine sees: no token where it was put.
    monkeypatch.setattr("pathlib.Path.touch", lambda *_, **__: None)
    with pytest.raises(StoreError, match=r"does not see the folder .*f\.h5\.parts.* share"):
        extract(images(), backbone, tmp_path / "f.h5", engine="ray", **CPU)


def test_a_machine_that_sees_other_images(tmp_path, paths, images, backbone, on_ray):
    class Elsewhere(LoggedImages):
        def signature(self, row):
            return super().signature(row) + ("" if os.getpid() == here else " other")

    here = os.getpid()
    source = Elsewhere(paths, tmp_path)
    source.select = lambda rows: Elsewhere([paths[row] for row in rows], tmp_path)
    with pytest.raises(StoreError, match="does not see the same images"):
        extract(images(images=source), backbone, tmp_path / "f.h5", engine="ray", **CPU)


def test_an_error_in_a_worker_is_featkit_s_own(tmp_path, paths, images, backbone, on_ray):
    class Full(LoggedImages):
        def data(self, row):
            if os.getpid() != here:
                raise StoreError("no room", cause="the disk is full", remedy="Free some")
            return super().data(row)

        def select(self, rows):
            return Full([self.paths[row] for row in rows], self.log)

    here = os.getpid()
    with pytest.raises(StoreError, match=r"^no room: the disk is full. Free some.$"):
        extract(
            images(images=Full(paths, tmp_path)),
            backbone,
            tmp_path / "f.h5",
            engine="ray",
            **CPU,
        )


def test_a_ray_of_its_own_says_nothing(tmp_path, paths):
    # A process of its own: Ray itself gets confused by a second cluster between two visits to a
    # first one.
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    # So few that no way is searched for: which one is found depends on how busy the machine is.
    folder, out, some = tmp_path / "images", tmp_path / "f.h5", paths[:200]
    for path in some:
        copy = folder / path.relative_to(paths[0].parents[1])
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    command = [sys.executable, "-m", "featkit_cli", "extract", f"folder:{folder}"]
    command += ["--backbone", "featkit:tiny", "--device", "cpu", "--precision", "fp32", "--json"]
    command += ["--out", str(out), "--engine", "ray"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["images"], found["failed"]) == (200, 1)
    assert all(line.startswith("extract featkit:tiny: ") for line in done.stderr.splitlines())
    dataset, backbone = load_dataset(f"folder:{folder}"), load_backbone("featkit:tiny")
    assert_same(FeatureStore.open(out), extract(dataset, backbone, tmp_path / "local.h5", **CPU))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1:1", "cannot reach the Ray cluster at 127.0.0.1:1"),
        ("ray://127.0.0.1:10001", "address of Ray's client server"),
    ],
)
def test_a_cluster_that_is_not_there(tmp_path, images, backbone, monkeypatch, address, words):
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(UsageError, match=words):
        extract(images(), backbone, tmp_path / "f.h5", engine="ray", **CPU)
    assert not (tmp_path / "f.h5.parts").exists()
