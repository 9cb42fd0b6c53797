"""Servers of a small trained model, in this process and behind a socket."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx2
import pytest
from PIL import Image
from starlette.testclient import TestClient

from featkit.data import synthetic_dataset
from featkit.inference import Predictor
from featkit.runs import RunStore
from featkit.serving import make_app
from featkit.serving.running import server_of


@pytest.fixture(scope="session")
def as_file():
    """Return a writer of images as files."""

    def write(image: Image.Image, kind: str = "JPEG", **options) -> bytes:
        buffer = BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    return write


@pytest.fixture(scope="session")
def as_form():
    """Return a maker of forms that httpx sends: `as_form(content, ...)`."""
    return lambda *files: [
        ("images", (f"{place}.jpg", content)) for place, content in enumerate(files)
    ]


@pytest.fixture(scope="session")
def photographs(as_file) -> list[bytes]:
    """Small JPEG files, all different."""
    drawn = synthetic_dataset(images=48, size=48)
    return [as_file(drawn.images.read(row)) for row in range(len(drawn))]


@pytest.fixture(scope="session")
def model_folder(trained) -> Path:
    folder, _, _ = trained
    run = next(run for run in RunStore(folder) if run.key.method == "linear")
    return folder / "models" / run.key.file_name.removesuffix(".npz")


@pytest.fixture(scope="session")
def predictor(model_folder):
    with Predictor.load(model_folder, device="cpu", precision="fp32") as found:
        yield found


@pytest.fixture
def client_of(predictor):
    """Return a maker of clients: `client_of(token="x", ...)` as `make_app` takes it."""
    with ExitStack() as stack:

        def make(**options) -> TestClient:
            app = make_app(options.pop("predictor", predictor), **options)
            return stack.enter_context(TestClient(app, raise_server_exceptions=False))

        yield make


@pytest.fixture(scope="session")
def client(predictor):
    """A client of a server with the usual limits."""
    with TestClient(make_app(predictor), raise_server_exceptions=False) as found:
        yield found


@contextmanager
def running_loop():
    """Give an event loop that runs in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@dataclass(frozen=True)
class Served:
    """A server behind a socket."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, *pieces: bytes) -> socket.socket:
        """Open a connection, send bytes as they are, and leave it open."""
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        for piece in pieces:
            opened.sendall(piece)
        return opened


@contextmanager
def served(app):
    listening = socket.create_server(("127.0.0.1", 0))
    server = server_of(app)

    async def serve():
        async with app.router.lifespan_context(app):
            await server.serve(sockets=[listening])

    with running_loop() as loop:
        done = asyncio.run_coroutine_threadsafe(serve(), loop)
        found = Served(listening.getsockname()[1])
        assert httpx2.get(f"{found.url}/healthz", timeout=60).status_code == 200
        yield found
        server.should_exit = True
        done.result(timeout=30)


@pytest.fixture(scope="session")
def server(predictor):
    """A server with the usual limits, behind a socket."""
    with served(make_app(predictor)) as found:
        yield found


@pytest.fixture
def serve():
    """Return a maker of servers behind sockets, each from an app."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(served(app))
