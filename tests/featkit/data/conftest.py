import logging
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image
from werkzeug import Response
from werkzeug.serving import make_server
from werkzeug.utils import send_file

from featkit.data.places import store


@pytest.fixture
def put_images() -> Callable[[Path, Iterable[str]], None]:
    """Write small images of different colours under a folder."""

    def put(folder: Path, names: Iterable[str]) -> None:
        for number, name in enumerate(names):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            colour = (number * 37 % 256, number * 91 % 256, sum(name.encode()) % 256)
            Image.new("RGB", (8 + number % 3, 6), colour).save(path)

    return put


@pytest.fixture
def put_table() -> Callable[..., Path]:
    """Write rows as delimited text."""

    def put(path: Path, rows: Sequence[Sequence[object]], delimiter: str = ",") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(delimiter.join(map(str, row)) + "\n" for row in rows))
        return path

    return put


@pytest.fixture
def ham10000(
    tmp_path: Path,
    put_images: Callable[[Path, Iterable[str]], None],
    put_table: Callable[..., Path],
) -> Path:
    """A small data set in Kaggle's layout: four images of three lesions."""
    root = tmp_path / "ham"
    put_images(root / "HAM10000_images_part_1", ["ISIC_1.jpg", "ISIC_2.jpg"])
    put_images(root / "HAM10000_images_part_2", ["ISIC_3.JPG", "ISIC_4.png"])
    put_table(
        root / "HAM10000_metadata.csv",
        [
            ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"),
            ("HAM_1", "ISIC_3", "mel", "histo", "80.0", "male", "scalp"),
            ("HAM_1", "ISIC_1", "mel", "histo", "80.0", "male", "scalp"),
            ("HAM_2", "ISIC_2", "nv", "follow_up", "", "female", "back"),
            ("HAM_3", "ISIC_4", "akiec", "histo", "55.0", "male", "face"),
        ],
    )
    return root


class Faults:
    """A WSGI application with errors: what `rule` returns for a request happens to it.

    A number is the status of an answer, "reset" breaks the connection, "short" sends half of what
    was announced, "hang" waits; None lets the request through.
    """

    def __init__(self, app):
        self.app = app
        self.rule = lambda method, path: None
        self.requests = []

    def __call__(self, environ, start_response):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.requests.append((method, path, environ.get("HTTP_RANGE", "")))
        fault = self.rule(method, path)
        if fault == "hang":
            time.sleep(1)
        if fault == "reset":
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return []
        if fault == "short":
            start_response("200 OK", [("Content-Length", "1000")])
            return [b"x" * 500]
        if isinstance(fault, int):
            start_response(f"{fault} Unwell", [("Content-Type", "application/xml")])
            code = {503: "SlowDown", 403: "AccessDenied"}.get(fault, "Unwell")
            return [f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()]
        return self.app(environ, start_response)

    def gets(self, part=""):
        """The GET requests of paths that contain a text, listings aside."""
        return [r for r in self.requests if r[0] == "GET" and part in r[1] and "." in r[1]]


@contextmanager
def serving(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture(scope="session")
def _s3_server():
    from moto.server import DomainDispatcherApplication, create_backend_app

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    faults = Faults(DomainDispatcherApplication(create_backend_app))
    with serving(faults) as address:
        yield address, faults


@pytest.fixture
def impatient(monkeypatch):
    """Tries follow one another at once."""
    monkeypatch.setattr(store, "_FIRST_PAUSE", 0.001)


class Bucket:
    """A bucket on the local S3 server, with the server's log and faults."""

    def __init__(self, address, faults, name):
        import boto3

        self.url = f"s3://{name}"
        self.faults = faults
        self._name = name
        self._client = boto3.client("s3", endpoint_url=address)
        self._client.create_bucket(Bucket=name)
        faults.requests.clear()

    def put(self, key, content):
        self._client.put_object(Bucket=self._name, Key=key, Body=content, ACL="public-read")

    def put_at_once(self, keys):
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.s3.models import s3_backends

        for key in keys:
            s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(self._name, key, b"x")

    def upload(self, folder, key=""):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"{key}{path.relative_to(folder).as_posix()}", path.read_bytes())
        self.faults.requests.clear()
        return f"{self.url}/{key}".rstrip("/")


@pytest.fixture
def bucket(_s3_server, monkeypatch, impatient):
    """A new bucket."""
    address, faults = _s3_server
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
    }.items():
        monkeypatch.setenv(name, value)
    store._connected.cache_clear()
    yield Bucket(address, faults, f"bucket-{uuid.uuid4().hex[:8]}")
    faults.rule = lambda method, path: None
    faults.requests.clear()


class Web:
    """A folder on a local web server, with the server's log and faults."""

    def __init__(self, folder, address, faults):
        self.folder, self.url, self.faults = folder, address, faults
        self.index = True
        self.ranges = True

    def app(self, environ, start_response):
        path = self.folder / environ["PATH_INFO"].strip("/")
        if path.is_dir() and self.index:
            names = sorted(child.name + "/" * child.is_dir() for child in path.iterdir())
            links = "".join(f'<a href="{quote(name)}">{name}</a>' for name in names)
            answer = Response(f"<html>{links}</html>", mimetype="text/html")
        elif path.is_file():
            if not self.ranges:
                environ.pop("HTTP_RANGE", None)
            answer = send_file(path, environ, conditional=True)
        else:
            answer = Response(status=404)
        return answer(environ, start_response)


@pytest.fixture
def web(tmp_path, impatient):
    """A web server over `tmp_path / "web"`."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    folder = tmp_path / "web"
    folder.mkdir()
    faults = Faults(None)
    with serving(faults) as address:
        served = Web(folder, address, faults)
        faults.app = served.app
        yield served
