"""Fetching weights: from a mirror, from the cache, and what is said where neither has them."""

import errno
import functools
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import urllib.error
from contextlib import contextmanager
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from huggingface_hub.errors import OfflineModeIsEnabled
from timm.models import save_for_hf

from featkit.backbones import load_backbone
from featkit.backbones._downloads import HubFile, WebFile, fetch
from featkit.errors import BackboneError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WAYS_OUT = r"local-dir:PATH.*{}.*another backbone \(--random-weights"


class Hub(http.server.SimpleHTTPRequestHandler):
    """Serves a folder with what the Hub's client asks of a server."""

    def translate_path(self, path):
        return super().translate_path(path.replace("/resolve/main/", "/"))

    def end_headers(self):
        path = Path(self.translate_path(self.path))
        if path.is_file():
            self.send_header("ETag", f'"{hashlib.sha256(path.read_bytes()).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if not path.is_file():
            self.send_header("X-Error-Code", "EntryNotFound")
        super().end_headers()

    def log_message(self, *args):
        pass


@contextmanager
def served(folder):
    """The address of a server of that folder."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Hub, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


SCRIPT = """
import json, sys
from featkit.backbones import list_backbones, load_backbone
from featkit.errors import BackboneError

result = {}
for spec in sys.argv[1:]:
    try:
        result[spec] = load_backbone(spec).weights_sha256
    except BackboneError as error:
        result[spec] = str(error)
result["cached"] = list_backbones("timm:test_resnet.r160_in1k").rows[0].cached
print(json.dumps(result))
"""


def in_a_fresh_process(*specs, **environment):
    """What loading gives; the Hub's client reads its variables when it is imported."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *specs],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def test_a_mirror_then_the_cache_then_nothing(tmp_path):
    torch.manual_seed(7)
    mirror = tmp_path / "mirror"
    save_for_hf(
        timm.create_model("test_resnet"),
        mirror / "timm" / "test_resnet.r160_in1k",
        safe_serialization=True,
    )
    expected = load_backbone(str(mirror / "timm" / "test_resnet.r160_in1k")).weights_sha256
    by_name, by_repository = "timm:test_resnet", "hf-hub:timm/test_resnet.r160_in1k"
    absent = "timm:test_vit"
    with served(mirror) as address:
        home = {"HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": address}
        fetched = in_a_fresh_process(by_name, by_repository, absent, **home)
    assert fetched[by_name] == fetched[by_repository] == expected
    assert fetched["cached"] is True
    assert "has no model.safetensors" in fetched[absent]
    # The server is gone.
    offline = in_a_fresh_process(by_name, by_repository, absent, **home)
    assert offline[by_name] == offline[by_repository] == expected
    assert offline[absent].startswith(
        "cannot download the weights of timm:test_vit.r160_in1k: no connection to 127.0.0.1:"
    )
    assert "local-dir:PATH" in offline[absent]
    assert "HF_ENDPOINT" in offline[absent]
    assert "HF_HOME" in offline[absent]
    assert "another backbone" in offline[absent]


def checkpoint(name, content):
    """Put a file where torch.hub keeps the default weights of a torchvision network."""
    url = torchvision.models.get_model_weights(name).DEFAULT.url
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)
    return path


def test_torchvisions_weights_come_from_the_cache(capfd):
    torch.manual_seed(3)
    network = torchvision.models.squeezenet1_1()
    checkpoint("squeezenet1_1", network.state_dict())
    backbone = load_backbone("torchvision:squeezenet1_1")
    for name, tensor in backbone.network.state_dict().items():
        torch.testing.assert_close(tensor, network.state_dict()[name], atol=0, rtol=0)
    assert capfd.readouterr() == ("", "")


def test_a_damaged_checkpoint_is_named():
    path = checkpoint("squeezenet1_1", {"a": torch.zeros(3)})
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(BackboneError, match=f"{path.name} is cut short or damaged.* Delete"):
        load_backbone("torchvision:squeezenet1_1")


class Exploit:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (os.mkdir, (str(self.target),))


def test_a_pickle_runs_no_code(tmp_path):
    target = tmp_path / "exploited"
    checkpoint("squeezenet1_1", Exploit(target))
    with pytest.raises(BackboneError, match="cannot load the weights"):
        load_backbone("torchvision:squeezenet1_1")
    assert not target.exists()


def test_a_web_file_is_fetched_once_and_whole(tmp_path):
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "net-300e.pth").write_bytes(b"weights")
    with served(tmp_path / "served") as address:
        file = WebFile(f"{address}/net-300e.pth")
        assert file.cached() is None
        assert fetch("timm:x", file).read_bytes() == b"weights"
    assert fetch("timm:x", file) == file.cached()


def test_a_web_file_with_another_content_than_its_name_says(tmp_path):
    (tmp_path / "net-12345678.pth").write_bytes(b"weights")
    with served(tmp_path) as address:
        file = WebFile(f"{address}/net-12345678.pth", checked=True)
        with pytest.raises(BackboneError, match="invalid hash value"):
            fetch("torchvision:x", file)
        assert file.cached() is None


def test_a_web_file_that_is_not_there(tmp_path):
    with served(tmp_path) as address, pytest.raises(BackboneError, match="answers 404"):
        fetch("torchvision:x", WebFile(f"{address}/net.pth"))


def test_no_connection_to_the_web(tmp_path):
    with served(tmp_path) as address:
        pass
    message = r"weights of torchvision:x: no connection to 127\.0\.0\.1.*"
    ways_out = WAYS_OUT.format("TORCH_HOME to a cache that has hub/checkpoints/net.pth")
    with pytest.raises(BackboneError, match=message + ways_out):
        fetch("torchvision:x", WebFile(f"{address}/net.pth"))


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OfflineModeIsEnabled("offline"), "HF_HUB_OFFLINE forbids"),
        (TimeoutError("timed out"), "the server did not answer in time"),
        (urllib.error.URLError("no route"), r"no connection to example\.org \(no route\)"),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (ValueError("one line.\nand another"), "one line. Give"),
        (ValueError(), "ValueError. Give"),
    ],
)
def test_causes(error, cause):
    class Failing:
        server = "example.org"
        cache_variable = "set HF_HOME"

        def cached(self):
            return None

        def download(self):
            raise error

    with pytest.raises(BackboneError, match=f"{cause}.*{WAYS_OUT.format('HF_HOME')}"):
        fetch("timm:x", Failing())


def test_a_revision_is_part_of_the_address():
    assert HubFile("a/b@v2", ("x",))._address() == ("a/b", "v2")
    assert HubFile("a/b", ("x",))._address() == ("a/b", None)
