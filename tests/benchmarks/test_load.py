"""Clients tell what became of their requests, from servers that do them wrong as well."""

import asyncio
import json
import threading
from contextlib import contextmanager

import pytest

from benchmarks.load import Photograph, Tally, put_load

PHOTOGRAPHS = [Photograph(b"red" * 99, {"a": 0.9, "b": 0.1}), Photograph(b"blue", {"a": 0, "b": 1})]


@contextmanager
def server(behave):
    """Serve with `behave(number, body) -> (code, probabilities)`; None hangs up."""
    loop, numbers = asyncio.new_event_loop(), iter(range(10**6))

    async def talk(reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                said = behave(next(numbers), head, await reader.readexactly(length))
                if said is None:
                    break
                body = json.dumps({"images": [{"probabilities": said[1]}]}).encode()
                head = f"HTTP/1.1 {said[0]} x\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
        except asyncio.IncompleteReadError:
            pass
        writer.close()

    served = loop.run_until_complete(asyncio.start_server(talk, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield served.sockets[0].getsockname()[:2]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    served.close()
    loop.close()


def honest(number, head, body):
    return 200, PHOTOGRAPHS[0 if b"red" in body else 1].wanted


def test_right_answers_are_counted():
    with server(honest) as address:
        tally, took = put_load(address, PHOTOGRAPHS, clients=3, seconds=0.3)
    assert took >= 0.3
    assert tally.sent == tally.codes[200] == len(tally.seconds) > 6
    assert (tally.wrong, tally.lost) == (0, 0)
    assert 0 < tally.milliseconds(0.5) <= tally.milliseconds(0.95)


def test_answers_of_another_photograph_are_wrong():
    with server(lambda *_: (200, {"a": 0.9, "b": 0.1})) as address:
        tally, _ = put_load(address, PHOTOGRAPHS, clients=1, seconds=0.2)
    assert tally.wrong == tally.codes[200] // 2


def test_who_hangs_up_loses_requests():
    def behave(number, head, body):
        return None if number % 3 == 2 else honest(number, head, body)

    with server(behave) as address:
        tally, _ = put_load(address, PHOTOGRAPHS, clients=1, seconds=0.2)
    assert tally.lost == tally.sent // 3 > 0
    assert tally.lost + tally.codes[200] == tally.sent


def test_refusals_are_counted_and_no_latency():
    with server(lambda *_: (503, None)) as address:
        tally, _ = put_load(address, PHOTOGRAPHS, clients=2, seconds=0.2)
    assert set(tally.codes) == {503}
    assert not tally.seconds


@pytest.mark.parametrize("heat", [True, False])
def test_heat_maps_are_asked_for(heat):
    heads = []

    def behave(number, head, body):
        heads.append(head)
        return honest(number, head, body)

    with server(behave) as address:
        put_load(address, PHOTOGRAPHS, clients=1, seconds=0.05, heat=heat)
    assert all(f"heat={str(heat).lower()}" in head for head in heads)


def test_nothing_answered_has_no_latency():
    assert str(Tally().milliseconds(0.5)) == "nan"
