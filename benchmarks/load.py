"""Load: clients that each send a photograph, wait for its answer, check it and send the next."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

import numpy as np

__all__ = ["Photograph", "Tally", "put_load"]

_EDGE = "edge-of-a-photograph"
_PAUSE_S = 0.05
"""Of a client that was turned away."""
_NEAR = 1e-3
"""Probabilities may differ by so much: how many images go through the network together is seen in
their last digits."""


@dataclass(frozen=True)
class Photograph:
    """A file, and what its answer has to be.

    Attributes:
        content: The file's bytes.
        wanted: Its probabilities, by class.
    """

    content: bytes
    wanted: Mapping[str, float]


@dataclass
class Tally:
    """What became of all requests.

    Attributes:
        sent: Requests that were begun.
        codes: Answers by HTTP status.
        wrong: Answers of 200 that are not those of their photograph.
        lost: Requests without an answer.
        seconds: Of each answer of 200, from its first byte out to its last byte in.
    """

    sent: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    wrong: int = 0
    lost: int = 0
    seconds: list[float] = field(default_factory=list)

    def milliseconds(self, share: float) -> float:
        """Return a quantile of the latencies; NaN where nothing was answered."""
        return 1000 * float(np.quantile(self.seconds, share)) if self.seconds else float("nan")


def put_load(
    address: tuple[str, int],
    photographs: Sequence[Photograph],
    *,
    clients: int,
    seconds: float,
    heat: bool = False,
) -> tuple[Tally, float]:
    """Let clients ask for a time, and return what became of it and how long it took.

    Args:
        address: Of the server.
        photographs: Sent in turn, over and over again.
        clients: How many, each on a connection of its own.
        seconds: After which none begins a request any more; those under way are waited for.
        heat: Whether to ask for heat maps.
    """
    return asyncio.run(_load(address, photographs, clients, seconds, heat))


async def _load(
    address: tuple[str, int],
    photographs: Sequence[Photograph],
    clients: int,
    seconds: float,
    heat: bool,
) -> tuple[Tally, float]:
    tally, turn = Tally(), count()
    requests = [_request(address, each.content, heat) for each in photographs]
    start = time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection(*address)
        while time.perf_counter() < start + seconds:
            place = next(turn) % len(photographs)
            tally.sent += 1
            began = time.perf_counter()
            try:
                writer.write(requests[place])
                await writer.drain()
                code, body = await _answer(reader)
            except (OSError, EOFError, ValueError):
                tally.lost += 1
                writer.close()
                reader, writer = await asyncio.open_connection(*address)
                continue
            _count(tally, code, body, time.perf_counter() - began, photographs[place])
            if code != 200:
                await asyncio.sleep(_PAUSE_S)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    await asyncio.gather(*(client() for _ in range(clients)))
    return tally, time.perf_counter() - start


def _count(tally: Tally, code: int, body: bytes, seconds: float, asked: Photograph) -> None:
    tally.codes[code] += 1
    if code == 200:
        tally.seconds.append(seconds)
        tally.wrong += not _right(body, asked.wanted)


def _right(body: bytes, wanted: Mapping[str, float]) -> bool:
    (found,) = json.loads(body)["images"]
    given = found["probabilities"]
    return given is not None and all(
        abs(given[name] - share) <= _NEAR for name, share in wanted.items()
    )


def _request(address: tuple[str, int], content: bytes, heat: bool) -> bytes:
    head = (
        f"--{_EDGE}\r\nContent-Disposition: form-data; name=images; filename=a.jpg\r\n"
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{_EDGE}--\r\n".encode()
    lines = [
        f"POST /api/predict?heat={str(heat).lower()} HTTP/1.1",
        f"Host: {address[0]}:{address[1]}",
        f"Content-Type: multipart/form-data; boundary={_EDGE}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
    return int(head[0].split()[1]), await reader.readexactly(int(headers["content-length"]))
