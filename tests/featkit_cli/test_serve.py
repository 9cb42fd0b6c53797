"""`featkit serve` as a person runs it: in a process of its own, ended by Ctrl-C."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from featkit.runs import RunStore


@pytest.fixture(scope="module")
def model(trained) -> Path:
    folder, _, _ = trained
    run = next(run for run in RunStore(folder) if run.key.method == "linear")
    return folder / "models" / run.key.file_name.removesuffix(".npz")


def address_of(process) -> str:
    """Return the address that a server prints once it answers."""
    line = process.stderr.readline()
    found = re.search(r"http://\S+", line)
    assert found, line + process.stderr.read()
    return found[0]


def test_serves_until_interrupted(start, model):
    process = start("serve", model, "--port", "0", "--token", "secret")
    try:
        url = address_of(process)
        assert url.startswith("http://127.0.0.1:")
        assert httpx2.get(f"{url}/healthz").json() == {"status": "ok"}
        assert httpx2.get(f"{url}/api/model").status_code == 401
        known = {"Authorization": "Bearer secret"}
        assert httpx2.get(f"{url}/api/model", headers=known).status_code == 200
        assert httpx2.get(f"{url}/", headers={"Host": "evil.example"}).status_code == 403
        stuck = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
        stuck.sendall(
            b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 99\r\n\r\n"
        )
        time.sleep(0.2)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert time.monotonic() - began < 5  # one of them for whoever is being answered
        assert stuck.recv(100).startswith(b"HTTP/1.1 503")
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def descendants(pid: int) -> list[int]:
    """Return the processes that a process began, and those that they began."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(path.parent.name)] = int(parent)
    found, more = [], [pid]
    while more:
        more = [child for child, parent in parents.items() if parent in more]
        found += more
    return found


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.parametrize(
    ("kind", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_no_process_is_left(start, model, endless, kind, code):
    process = start("serve", model, "--port", "0")
    try:
        url = address_of(process)

        def ask():
            with suppress(httpx2.HTTPError):
                httpx2.post(f"{url}/api/predict", files={"images": ("e.jpg", endless)}, timeout=60)

        threading.Thread(target=ask, daemon=True).start()
        time.sleep(0.7)  # by now it is being decoded
        left = descendants(process.pid)
        assert len(left) >= 2
        process.send_signal(kind)
        assert process.wait(timeout=30) == code
        assert gone(left)
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_an_address_that_is_taken(featkit, model):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = featkit("serve", model, "--port", taken.getsockname()[1])
    assert done.code == 2
    assert "cannot listen" in done.err
    assert "--port" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "without a token"),
        (["--host", "::"], "without a token"),
        (["--host", "no.such.host.invalid", "--no-token"], "cannot listen"),
        (["--port", "0", "--token", ""], "the token"),
        (["--max-images", "0"], "0 images"),
        (["--max-seconds", "-1"], "-1 seconds"),
        (["--max-waiting", "3"], "may hold 16"),
        (["--thumbnails", "nowhere"], "nowhere"),
        (["--port", "99999"], "65535"),
    ],
)
def test_wrong_usage(featkit, model, options, said):
    done = featkit("serve", model, *options)
    assert done.code == 2
    assert said in done.err


def test_a_folder_that_is_no_model(featkit, tmp_path):
    done = featkit("serve", tmp_path, "--port", "0")
    assert done.code in (1, 2)
    assert str(tmp_path.name) in done.err


def test_without_the_extra(model):
    """In a process of its own, where FastAPI cannot be imported."""
    words = ["featkit", "serve", str(model)]
    code = f"import sys; sys.modules['fastapi'] = None; sys.argv = {words!r}; " + (
        "from featkit_cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "needs fastapi, which is not installed" in done.stderr
    assert "pip install 'featkit[serve]'" in done.stderr
