"""What all tests share: the real data beside the repository, small stores, a server of archives."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest
from PIL import Image

from featkit.data.download import Patience, catalogue, downloading
from featkit.features import FeatureStore

if TYPE_CHECKING:
    from featkit.data import Dataset
    from featkit.runs import Run

REPOSITORY = Path(__file__).parent.parent
SHARED = REPOSITORY.parent / "shared"


_SETTINGS = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep libraries' settings and reports out of the home of whoever runs the tests.

    HOME and the caches stay: weights that are on this machine are used.
    """
    folder = config.stash[_SETTINGS] = tempfile.TemporaryDirectory(prefix="featkit-tests-")
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["IPYTHONDIR"] = str(Path(folder.name) / "ipython")
    os.environ["XDG_CONFIG_HOME"] = str(Path(folder.name) / "configuration")


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_SETTINGS].cleanup()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if SHARED.exists():
        return
    absent = pytest.mark.skip(reason="needs the real images and weights in ../shared")
    for item in items:
        if "shared" in item.keywords:
            item.add_marker(absent)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real images and weights; tests that use it are marked `shared`."""
    return SHARED


def write_features(
    path: Path,
    *,
    lesions: tuple[int, ...] = (60, 24, 15),
    dimension: int = 6,
    separation: float = 1.6,
    seed: int = 0,
    prefix: str = "",
) -> Path:
    """Write features of lesions with one to three images each as a foreign HDF5 file."""
    generator = np.random.default_rng(seed)
    label, group = [], []
    for index, count in enumerate(lesions):
        for lesion in range(count):
            images = 1 + (lesion % 3 == 0) + (lesion % 6 == 0)
            label += [f"class{index}"] * images
            group += [f"{prefix}L{index}-{lesion}"] * images
    centres = generator.normal(size=(len(lesions), dimension)) * separation
    codes = np.array([int(name.removeprefix("class")) for name in label])
    names, lesion_of = np.unique(group, return_inverse=True)
    of_lesion = generator.normal(size=(len(names), dimension))[lesion_of]
    noise = 0.3 * generator.normal(size=(len(label), dimension))
    with h5py.File(path, "w") as file:
        file["features"] = (centres[codes] + of_lesion + noise).astype(np.float32)
        file["label"] = np.array(label, dtype="S")
        file["group"] = np.array(group, dtype="S")
        file["image_id"] = np.array([f"{prefix}I{row:05d}" for row in range(len(label))], dtype="S")
    return path


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[..., FeatureStore]:
    """Return a maker of small stores: `make_store(name, backbone=…, …)`."""

    def make(
        name: str = "features.h5", *, backbone: str = "net", **options: object
    ) -> FeatureStore:
        path = write_features(tmp_path / name, **options)  # type: ignore[arg-type]
        return FeatureStore.from_hdf5(
            path,
            features="features",
            label="label",
            group="group",
            image_id="image_id",
            backbone=backbone,
        )

    return make


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FeatureStore, Dataset]:
    """A sweep of all heads with models: its folder, the feature file and the data set."""
    from featkit.backbones import load_backbone
    from featkit.data import load_dataset
    from featkit.experiment import Design
    from featkit.features import extract
    from featkit.sweep import fit

    folder = tmp_path_factory.mktemp("trained")
    dataset = load_dataset("synthetic:images=400,size=32")
    store = extract(dataset, load_backbone("featkit:tiny"), folder / "f.h5", device="cpu")
    design = Design(budgets=(50,), draws=1, folds=3)
    fit([store], folder / "out", design=design, jobs=1, save_models=True)
    return folder / "out", store, dataset


@pytest.fixture
def run_of(trained: tuple[Path, FeatureStore, Dataset]) -> Callable[[str], Run]:
    """Return the Run of a head: `run_of("linear")`."""
    from featkit.runs import RunStore

    return lambda kind: next(run for run in RunStore(trained[0]) if run.key.method == kind)


@pytest.fixture
def folder_of(
    trained: tuple[Path, FeatureStore, Dataset], run_of: Callable[[str], Run], tmp_path: Path
) -> Callable[..., Path]:
    """Return a copy of the folder of a head's model, to be spoiled: `folder_of("mlp")`."""

    def copy(kind: str = "linear") -> Path:
        name = run_of(kind).key.file_name.removesuffix(".npz")
        return shutil.copytree(trained[0] / "models" / name, tmp_path / f"model-{kind}")

    return copy


class Archive:
    """A local server with the archives' layout below it, and their faults.

    `files` are bodies by host and path, question included. `faults` are, by the same, what happens
    to the next requests, one after the other; the last stays where it is in `always`:
    ("drop", n) breaks the connection after n bytes; ("stall", n) falls silent after them;
    ("status", 503) answers that; ("announce", n) tells a false length; ("whole",) knows no ranges;
    ("reply", 204, headers, body) answers just that;
    ("become", body) serves another file from now on; ("shift", n) sends a range that begins n bytes
    too late; ("etag", text) calls the file that, ("etag", "") nothing at all.
    `modified` are Last-Modified by the same. Like the archives, it answers 403 to requests' own
    name; `agents` are the names that asked.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[tuple]] = {}
        self.always: dict[str, tuple] = {}
        self.requests: list[tuple[str, str]] = []
        self.modified: dict[str, str] = {}
        self.agents: set[str] = set()
        self.s3 = True
        self.url = ""

    def put(self, path: str, body: bytes) -> None:
        self.files[path] = body

    def asked(self, name: str) -> list[str]:
        """Return the ranges of the requests for a file, "" = all of it."""
        return [ranges for path, ranges in self.requests if name in path]

    def fault(self, path: str) -> tuple:
        waiting = self.faults.get(path)
        return waiting.pop(0) if waiting else self.always.get(path, ("",))


class _ArchiveHandler(BaseHTTPRequestHandler):
    archive: Archive

    def do_GET(self) -> None:
        path, ranges = self.path.lstrip("/"), self.headers.get("Range", "")
        self.archive.requests.append((path, ranges))
        agent = self.headers.get("User-Agent", "")
        self.archive.agents.add(agent)
        if agent.startswith("python-requests"):
            self.send_error(403)
            return
        kind, *more = self.archive.fault(path)
        if kind == "status":
            self.send_response(more[0])
            self.send_header("Content-Length", "0")
            self.send_header("Retry-After", "0")
            self.end_headers()
            return
        if kind == "reply":
            self._reply(*more)
            return
        if kind == "become":
            self.archive.files[path] = more[0]
        if path not in self.archive.files:
            self.send_error(404)
            return
        body = self.archive.files[path]
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        start = int(ranges.removeprefix("bytes=").rstrip("-") or 0)
        modified = self.archive.modified.get(path, "")
        if kind == "whole" or self.headers.get("If-Range", etag) not in (etag, modified):
            start = 0
        if start and start >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if kind == "shift":
            start += more[0]
        if kind == "etag":
            etag = more[0]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if etag:
            self.send_header("ETag", etag)
        if modified:
            self.send_header("Last-Modified", modified)
        length = more[0] if kind == "announce" else len(body) - start
        self.send_header("Content-Length", str(length))
        self.end_headers()
        sent = body[start:] if kind not in ("drop", "stall") else body[start:][: more[0]]
        self.wfile.write(sent)
        self.wfile.flush()
        if kind == "stall":
            time.sleep(1.5)
        if kind in ("drop", "stall", "announce"):
            self.close_connection = True

    def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def version_string(self) -> str:
        return "AmazonS3" if self.archive.s3 else "other"

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def archive() -> Iterator[Archive]:
    """A server of published files: give its `url` as the mirror."""
    made = Archive()
    handler = type("Handler", (_ArchiveHandler,), {"archive": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


class Published:
    """Small data sets with the layouts, names and interfaces of the published ones."""

    dataverse = "dataverse.harvard.edu"
    ham_list = f"{dataverse}/api/datasets/:persistentId?persistentId=doi:10.7910/DVN/DBW86T"
    ham_part = f"{dataverse}/api/access/datafile/11"
    isic = "isic-challenge-data.s3.amazonaws.com"
    isic_truth = f"{isic}/2018/ISIC2018_Task3_Training_GroundTruth.zip"
    isic_input = f"{isic}/2018/ISIC2018_Task3_Training_Input.zip"
    zenodo_list = "zenodo.org/api/records/10519652"
    zenodo_file = "zenodo.org/records/10519652/files/dermamnist.npz?download=1"
    pairs = (
        "raw.githubusercontent.com/kakumarabhishek/Corrected-Skin-Image-Datasets/"
        "df006b58421f9f2bb3265c2ca644d2e5d1a91b24/DermaMNIST/HAM10000_DuplicateConfirmation/"
        "AnalysesOutputFiles/newly_discovered_duplicates.csv"
    )

    def __init__(self, archive: Archive) -> None:
        self.archive = archive

    def ham10000(self) -> None:
        names = [f"ISIC_{number}" for number in range(6)]
        rows = ["lesion_id,image_id,dx,dx_type,age,sex,localization,dataset"]
        rows += [f"HAM_{n // 2},{name},nv,histo,50,male,back,x" for n, name in enumerate(names)]
        table = ("\n".join(rows) + "\n").encode()
        parts = [_images(names[:3]), _images(names[3:], "__MACOSX/._ISIC_3.jpg")]
        files = []
        for number, body in enumerate((table, *parts)):
            facts = {"id": 10 + number, "md5": hashlib.md5(body).hexdigest()}
            if number:
                facts |= {"filename": f"HAM10000_images_part_{number}.zip", "filesize": len(body)}
            else:
                # Its size is that of the converted table, its checksum that of the original.
                facts |= {"filename": "HAM10000_metadata.tab", "filesize": len(body) + 9}
                facts |= {"originalFileFormat": "text/csv", "originalFileSize": len(body)}
            files.append({"label": facts["filename"], "dataFile": facts})
            question = "?format=original" if not number else ""
            self.archive.put(f"{self.dataverse}/api/access/datafile/{10 + number}{question}", body)
        self.archive.put(f"{self.dataverse}/api/access/datafile/10", table.replace(b",", b"\t"))
        listing = {"status": "OK", "data": {"latestVersion": {"files": files}}}
        self.archive.put(self.ham_list, json.dumps(listing).encode())

    def isic2018(self) -> None:
        stem, names = "ISIC2018_Task3_Training", ["ISIC_1", "ISIC_2", "ISIC_3", "ISIC_4"]
        truth = "image,MEL,NV\n" + "".join(
            f"{n},{i % 2},{1 - i % 2}\n" for i, n in enumerate(names)
        )
        lesions = "image,lesion_id\n" + "".join(f"{n},L{i // 2}\n" for i, n in enumerate(names))
        packed = {
            f"{stem}_GroundTruth/{stem}_GroundTruth.csv": truth.encode(),
            f"{stem}_GroundTruth/LICENSE.txt": b"CC",
        }
        self.archive.put(self.isic_truth, zipped(packed))
        self.archive.put(
            self.isic_input, _images(names, f"{stem}_Input/LICENSE.txt", f"{stem}_Input/")
        )
        self.archive.put(f"{self.isic}/2018/{stem}_LesionGroupings.csv", lesions.encode())

    def dermamnist(self) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (4, 28, 28, 3), dtype=np.uint8)
        arrays = {}
        for number, split in enumerate(("train", "val", "test")):
            arrays[f"{split}_images"] = (pixels + number).astype(np.uint8)
            arrays[f"{split}_labels"] = np.arange(4, dtype=np.uint8)[:, None]
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        body = buffer.getvalue()
        self.archive.put(self.zenodo_file, body)
        facts = {"key": "dermamnist.npz", "size": len(body)}
        facts["checksum"] = f"md5:{hashlib.md5(body).hexdigest()}"
        self.archive.put(self.zenodo_list, json.dumps({"files": [facts]}).encode())

    def duplicates(self, second: str = "ISIC_2") -> None:
        text = (
            f"similarity,from_img,to_img\n0.98,ISIC_0.jpg,{second}.jpg\n0.97,ISIC_1.jpg,ISIC_4.jpg"
        )
        self.archive.put(self.pairs, text.encode())


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in files.items():
            packed.writestr(name, body)
    return buffer.getvalue()


def _images(names: list[str], beside: str = "", folder: str = "") -> bytes:
    files = {}
    for name in names:
        pixels = np.random.default_rng(sum(name.encode())).integers(0, 256, (40, 40, 3), np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG")
        files[f"{folder}{name}.jpg"] = buffer.getvalue()
    return zipped(files | ({beside: b"x"} if beside else {}))


_SMALL = {"ham10000": 6, "isic2018": 4, "dermamnist": 12}


@pytest.fixture
def published(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    """What is published is small, servers are hurried, and no licence has been accepted."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    small = {}
    for name, each in catalogue.PUBLICATIONS.items():
        first, *others = each.parts
        files = tuple(replace(file, checksum="") for file in first.files)
        first = replace(first, files=files, images=_SMALL.get(name, first.images))
        small[name] = replace(each, parts=(first, *others))
    monkeypatch.setattr(catalogue, "PUBLICATIONS", small)
    hurried = Patience(tries=3, first_pause_s=0.001, read_s=0.4)
    monkeypatch.setattr(downloading, "Patience", lambda: hurried)
    return Published(archive)


@pytest.fixture(scope="session")
def endless() -> bytes:
    """A JPEG of few bytes that is decoded for minutes: its last scan comes again and again."""
    buffer = io.BytesIO()
    Image.new("RGB", (4000, 3000), "grey").save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * 4000 + content[-2:]
