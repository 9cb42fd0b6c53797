import os
import signal
import socket
import threading

import httpx2
import pytest

from featkit.errors import FeatkitError, UsageError
from featkit.serving import LOOPBACK, Limits, run_server
from featkit.serving._preparing import Preparing
from featkit.serving._service import Service
from featkit.serving.running import _address, _hosts, _listening


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("localhost", None), ("::1", "[::1]")]
)
def test_addresses(host, shown):
    if host == "::1" and not socket.has_dualstack_ipv6():
        pytest.skip("needs IPv6")
    with _listening(host, 0) as opened:
        port = opened.getsockname()[1]
        assert port
        if shown is not None:
            assert _address(opened) == f"http://{shown}:{port}"


def test_an_address_of_others_needs_a_token(model_folder):
    with pytest.raises(UsageError, match="without a token"):
        run_server(model_folder, host="192.0.2.1")
    with pytest.raises(UsageError, match="cannot listen"):
        run_server(model_folder, host="192.0.2.1", open_to_all=True)


def test_decoders_that_do_not_start_end_the_server(model_folder, monkeypatch):
    monkeypatch.setattr("featkit.serving._preparing._WAKING", 0.0)
    with pytest.raises(FeatkitError, match="a decoder does not start"):
        run_server(model_folder, port=0, device="cpu")


def test_other_names_of_a_server_on_loopback(model_folder):
    """Behind a proxy; asked while it runs, and then interrupted."""
    found = {}

    def ask(address):
        for host in ("Lesions.Example.org", "evil.example"):
            asked = httpx2.get(f"{address}/healthz", headers={"Host": host}, timeout=20)
            found[host] = asked.status_code
        os.kill(os.getpid(), signal.SIGINT)

    def ready(address, _):
        threading.Thread(target=ask, args=(address,)).start()

    with pytest.raises(KeyboardInterrupt):
        run_server(model_folder, port=0, device="cpu", names=["lesions.example.org"], ready=ready)
    assert found == {"Lesions.Example.org": 200, "evil.example": 403}


def test_names_are_heeded_on_every_address():
    assert _hosts("0.0.0.0", []) is None
    assert _hosts("192.0.2.1", ["A.example"]) == {*LOOPBACK, "192.0.2.1", "a.example"}
    assert _hosts("127.0.0.1", []) == LOOPBACK


def test_a_service_that_has_not_begun_is_not_able(predictor):
    service = Service(predictor, limits=Limits(), thumbnails=None, processes=1)
    assert not service.able
    assert service.metrics.registry.get_sample_value("featkit_decoders_lost") == 0


def test_no_decoder_is_lost_at_first(predictor):
    preparing = Preparing(
        predictor.stream.backbone.preprocessing, views=1, limits=Limits(), processes=2
    )
    assert preparing.lost == 0
    preparing.close()
