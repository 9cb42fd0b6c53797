"""What a request may bring, and what it costs to bring more."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from featkit.serving import Limits, make_app
from featkit.serving._uploads import MultiPartParser

EDGE = b"----edge"
FORM = f"multipart/form-data; boundary={EDGE.decode()}"


def body_of(*parts: bytes) -> bytes:
    pieces = [b"--" + EDGE + b"\r\n" + part + b"\r\n" for part in parts]
    return b"".join(pieces) + b"--" + EDGE + b"--\r\n"


def part_of(content: bytes, *, name: bytes = b"a.jpg", field: bytes = b"images") -> bytes:
    head = b'Content-Disposition: form-data; name="%s"; filename="%s"' % (field, name)
    return head + b"\r\nContent-Type: image/jpeg\r\n\r\n" + content


def send(client, body, *, kind=FORM, **headers):
    return client.post("/api/predict", content=body, headers={"Content-Type": kind, **headers})


def code_of(found):
    return found.status_code, found.json()["error"]["code"]


def test_names_of_all_kinds(client, photographs):
    names = [b"a/b/c.jpg", b"..\\..\\x.jpg", "ü🩺.jpg".encode(), b"\xff\xfe.jpg", b"n" * 3000, b""]
    parts = [part_of(photographs[0], name=name) for name in names]
    found = send(client, body_of(*parts)).json()["images"]
    told = [each["name"] for each in found]
    assert told[0] == "a/b/c.jpg"
    assert told[2] == "ü🩺.jpg"
    assert len(told[4]) == 200
    assert told[5] == "image"
    assert all(each["error"] is None for each in found)


@pytest.mark.parametrize(
    ("body", "kind", "wanted"),
    [
        (b"", "multipart/form-data; boundary=x", (422, "no_image")),
        (b"", "multipart/form-data", (400, "malformed")),
        (b"x", "image/jpeg", (415, "not_multipart")),
        (b"images=x", "application/x-www-form-urlencoded", (415, "not_multipart")),
        (b"nonsense", None, (400, "malformed")),
        (body_of(), None, (422, "no_image")),
        (body_of(part_of(b"x", field=b"other")), None, (422, "no_image")),
        (body_of(part_of(b"x"), part_of(b"x", field=b"other")), None, (422, "other_field")),
        (
            body_of(b'Content-Disposition: form-data; name="images"\r\n\r\nx'),
            None,
            (400, "malformed"),
        ),
        (
            body_of(b'Content-Disposition: form-data; filename="x"\r\n\r\nx'),
            None,
            (400, "malformed"),
        ),
        (body_of(b"X: y\r\n\r\nx"), None, (400, "malformed")),
        (body_of(b"X" * 100_000 + b": y\r\n\r\nx"), None, (400, "malformed")),
        (
            body_of(b"\r\n".join(b"X: y" for _ in range(1000)) + b"\r\n\r\nx"),
            None,
            (400, "malformed"),
        ),
        (body_of(part_of(b"x"))[:-20], None, (400, "malformed")),
        (body_of(part_of(b"x"), part_of(b"x"))[:-20], None, (400, "malformed")),
        (body_of(part_of(b"x"))[:-4], None, (400, "malformed")),
    ],
)
def test_malformed_requests(client, body, kind, wanted):
    found = send(client, body, **({} if kind is None else {"kind": kind}))
    assert code_of(found) == wanted


@pytest.mark.parametrize(
    "charset", ["idna", "punycode", "unicode_escape", "hex", "undefined", "utf-7"]
)
def test_codecs_that_no_answer_could_repeat(client, charset):
    kind = f"multipart/form-data; boundary={EDGE.decode()}; charset={charset}"
    assert code_of(send(client, body_of(part_of(b"x", name=b"\\ud800")), kind=kind)) == (
        400,
        "malformed",
    )


def test_the_kind_is_read_without_regard_to_case(client, photographs):
    kind = f'Multipart/Form-Data; boundary="{EDGE.decode()}"; charset=UTF-8'
    assert send(client, body_of(part_of(photographs[0])), kind=kind).status_code == 200


def test_too_many(client_of, photographs, as_form):
    client = client_of(limits=Limits(images=2))
    assert client.post("/api/predict", files=as_form(*photographs[:2])).status_code == 200
    found = client.post("/api/predict", files=as_form(*photographs[:3]))
    assert code_of(found) == (413, "too_many_images")
    assert "2 images" in found.json()["error"]["message"]


def test_too_large_is_known_before_it_comes(server):
    """Of a request that says its size, nothing needs to come."""
    head = (
        f"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {10**12}\r\n\r\n"
    )
    with server.send(head.encode()) as opened:
        assert opened.recv(100).startswith(b"HTTP/1.1 413")


def test_too_large_is_known_while_it_comes(client_of):
    client = client_of(limits=Limits(megabytes=0.01))
    begun = body_of(part_of(b"x" * 9000))[:-30]
    assert code_of(send(client, iter([begun]))) == (400, "malformed")
    assert code_of(send(client, iter([begun, b"x" * 1001]))) == (413, "too_large")


def test_too_many_pixels(client_of, photographs, as_form):
    client = client_of(limits=Limits(megapixels=0.002))
    answer = client.post("/api/predict", files=as_form(photographs[0])).json()["images"][0]
    assert answer["error"]["code"] == "too_many_pixels"


def test_a_full_server_turns_away_and_answers_the_others(
    client_of, serve, predictor, photographs, as_form
):
    url = serve(make_app(predictor, limits=Limits(images=4, waiting=4))).url
    files = as_form(*photographs[:2])

    def ask(_):
        found = httpx2.post(f"{url}/api/predict", files=files, timeout=60)
        if found.status_code == 503:
            assert found.headers["retry-after"] == "1"
            assert found.json()["error"]["code"] == "too_busy"
        else:
            assert all(each["error"] is None for each in found.json()["images"])
        return found.status_code

    with ThreadPoolExecutor(16) as threads:
        codes = list(threads.map(ask, range(64)))
    assert set(codes) == {200, 503}
    assert ask(0) == 200


def slow_head(server, length):
    return (
        f"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Content-Type: multipart/form-data; boundary={EDGE.decode()}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def inside(server) -> float:
    lines = httpx2.get(f"{server.url}/metrics").text.splitlines()
    return float(
        next(line.split()[1] for line in lines if line.startswith("featkit_images_inside"))
    )


def test_uploads_that_never_end_are_given_up(serve, predictor, photographs, as_form):
    server = serve(make_app(predictor, limits=Limits(seconds=1, images=1, waiting=2)))
    waiting = [server.send(slow_head(server, 5000), b"--" + EDGE) for _ in range(2)]
    deadline = time.monotonic() + 10
    while inside(server) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    busy = httpx2.post(f"{server.url}/api/predict", files=as_form(photographs[0]))
    assert code_of(busy) == (503, "too_busy")
    for opened in waiting:
        with opened:
            assert opened.recv(100).startswith(b"HTTP/1.1 504")
    found = httpx2.post(f"{server.url}/api/predict", files=as_form(photographs[0]))
    assert found.status_code == 200


def test_who_hangs_up_leaves_nothing_behind(server, photographs, caplog, as_form):
    body = body_of(*(part_of(each) for each in photographs[:16]))
    for sent in (b"", body[:2000], body):
        for _ in range(5):
            server.send(slow_head(server, len(body)), sent).close()
    deadline = time.monotonic() + 20
    while inside(server) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert inside(server) == 0
    assert not caplog.records
    found = httpx2.post(f"{server.url}/api/predict", files=as_form(photographs[0]))
    assert found.status_code == 200


def test_a_parser_that_cannot_keep_files_in_memory_is_not_used(
    client, photographs, monkeypatch, as_form
):
    monkeypatch.delattr(MultiPartParser, "spool_max_size")
    assert code_of(client.post("/api/predict", files=as_form(photographs[0]))) == (500, "fault")


def test_nothing_is_written(client_of, photographs, tmp_path, monkeypatch, as_form, as_file):
    """Not even for a moment: no file grows while large uploads come and go."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen, ended = set(), threading.Event()

    def watch():
        while not ended.is_set():
            seen.update(tmp_path.rglob("*"))
            for link in Path("/proc/self/fd").iterdir():
                try:
                    target = str(link.readlink())
                except OSError:
                    continue
                if target.startswith(str(tmp_path)):
                    seen.add(target)

    client = client_of()
    noise = Image.effect_noise((1200, 1200), 90).convert("RGB")
    large = as_file(noise, "PNG")
    assert len(large) > MultiPartParser.spool_max_size
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(3):
            found = client.post("/api/predict", files=as_form(large, large, photographs[0]))
            assert all(each["error"] is None for each in found.json()["images"])
    finally:
        ended.set()
        watcher.join()
    assert not seen
