"""Connections that say nothing, or too slowly, are closed; others live on."""

import asyncio
import time
from contextlib import asynccontextmanager, suppress

import httpx2
import pytest

from featkit.serving import _connections


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(_connections, "_SECONDS", 0.5)
    monkeypatch.setattr(_connections, "_READING_SECONDS", 1.0)


@pytest.mark.parametrize("said", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_request_that_does_not_come_is_not_waited_for(server, said):
    with server.send(said) as opened:
        assert opened.recv(100) == b""


def test_a_second_request_that_does_not_come(server):
    whole = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with server.send(whole, b"GET") as opened:
        got = b""
        while piece := opened.recv(1000):
            got += piece
    assert got.startswith(b"HTTP/1.1 200")


def test_an_answer_may_take_longer(serve, predictor, photographs, as_form):
    from featkit.serving import make_app

    class Slow:
        def __getattr__(self, name):
            return getattr(predictor, name)

        def answers_of_pixels(self, pixels):
            time.sleep(0.8)
            return predictor.answers_of_pixels(pixels)

    url = serve(make_app(Slow())).url
    found = httpx2.post(f"{url}/api/predict", files=as_form(photographs[0]), timeout=30)
    assert found.status_code == 200


def test_what_is_no_http_is_refused(server):
    with server.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n") as opened:
        assert opened.recv(100).startswith(b"HTTP/1.1 400")
    assert httpx2.get(f"{server.url}/healthz").status_code == 200


class Plain:
    """An app without a service: answers of a length, after a time."""

    def __init__(self):
        self.router = self
        self.left = 0

    @asynccontextmanager
    async def lifespan_context(self, _):
        yield

    async def __call__(self, scope, receive, send):
        size = 16_000_000 if scope["path"].startswith("/large") else 5
        pieces = 4 if scope["path"] == "/large-pieces" else 1
        if scope["path"] == "/slow":
            await asyncio.sleep(1.2)
        self.left += 1
        try:
            head = [(b"content-length", str(size).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            for piece in range(1, pieces + 1):
                body, more = b"x" * (size // pieces), piece < pieces
                await send({"type": "http.response.body", "body": body, "more_body": more})
        finally:
            self.left -= 1


def test_a_request_that_came_with_another_is_not_hurried(serve):
    server = serve(Plain())
    lines = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
    with server.send(lines % b"/" + lines % b"/slow") as opened:
        got = b""
        while piece := opened.recv(1000):
            got += piece
    assert got.count(b"200 OK") == 2


@pytest.mark.parametrize("path", [b"/large", b"/large-pieces"])
def test_who_does_not_read_is_let_go(serve, path):
    app = Plain()
    server = serve(app)
    with server.send(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path) as opened:
        time.sleep(2.5)
        assert not app.left
        got = 0
        with suppress(ConnectionResetError):
            while piece := opened.recv(1 << 20):
                got += len(piece)
    assert got < 16_000_000


def test_who_reads_slowly_gets_all(serve):
    server = serve(Plain())
    with server.send(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n") as opened:
        time.sleep(0.7)
        got = 0
        while piece := opened.recv(1 << 20):
            got += len(piece)
    assert got > 16_000_000
