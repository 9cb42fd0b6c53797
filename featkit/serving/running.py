"""Running the server, until someone ends it."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from featkit.errors import UsageError
from featkit.inference import Predictor
from featkit.serving._connections import HurriedProtocol
from featkit.serving._thumbnails import Thumbnails
from featkit.serving.app import make_app
from featkit.serving.limits import Limits

__all__ = ["LOOPBACK", "run_server", "server_of"]

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Addresses that only this machine reaches."""

_GRACE_S = 1
"""So long may requests go on once the server is to end."""

_POLL_S = 0.02


def run_server(
    model: Path | str,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    limits: Limits | None = None,
    token: str | None = None,
    open_to_all: bool = False,
    names: Collection[str] = (),
    thumbnails: Path | None = None,
    device: str = "auto",
    processes: int = 1,
    ready: Callable[[str, str], None] = lambda address, name: None,
) -> None:
    """Serve a model until the process is interrupted.

    Args:
        model: A model's folder.
        host: Address to listen on.
        port: Port; 0 for any that is free.
        limits: What is taken.
        token: What requests must carry; None for nothing.
        open_to_all: Whether there may be no token on an address that others reach.
        names: By which it may be called beside its own, behind a proxy; on an address that others
            reach any name will do where none is given.
        thumbnails: Folder with pictures of the training cases.
        device: As `extract` takes it.
        processes: That decode.
        ready: Told of the address and the model's name when the server answers.

    Raises:
        ModelError: It is no model, or its backbone is another one.
        UsageError: The address cannot be listened on, or others reach it and there is no token.
        DataError: The folder has no pictures of training cases.
        FeatkitError: The server cannot start.
        KeyboardInterrupt: It was interrupted.
        SystemExit: It was asked to end, by SIGTERM; with 143. Nothing that it began goes on.
    """
    if host not in LOOPBACK and token is None and not open_to_all:
        raise UsageError(
            f"--host {host} without a token",
            cause="anyone who reaches this address could ask",
            remedy="Give --token TEXT (or FEATKIT_TOKEN), or --no-token where something else asks",
        )
    with (
        _listening(host, port) as listening,
        Predictor.load(model, device=device, precision="fp32") as predictor,
    ):
        cases = predictor.model.cases
        ids = [] if cases is None else cases.image_id.tolist()
        app = make_app(
            predictor,
            limits=limits,
            token=token,
            hosts=_hosts(host, names),
            thumbnails=None if thumbnails is None else Thumbnails(thumbnails, ids),
            processes=processes,
        )
        name = predictor.model.facts.name
        caught: list[signal.Signals] = []
        asyncio.run(_serve(app, listening, lambda address: ready(address, name), caught))
    if signal.SIGTERM in caught:
        raise SystemExit(128 + signal.SIGTERM)
    if caught:
        raise KeyboardInterrupt


class _Server(uvicorn.Server):
    """uvicorn's, but signals are for whoever runs it.

    uvicorn sends itself the signal again once requests have ended, which would end the process
    before decoders are put away.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def server_of(app: FastAPI) -> uvicorn.Server:
    """Return a server for an app whose lifespan someone else sees to."""
    config = uvicorn.Config(
        app,
        http=HurriedProtocol,
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return _Server(config)


async def _serve(
    app: FastAPI,
    listening: socket.socket,
    ready: Callable[[str], None],
    caught: list[signal.Signals],
) -> None:
    server = server_of(app)
    with _ended_by_signals(server, caught):
        # Here and not by uvicorn, which would hide from whoever called why it cannot start.
        async with app.router.lifespan_context(app):
            task = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started and not task.done():
                await asyncio.sleep(_POLL_S)
            if server.started and not caught:
                ready(_address(listening))
            await task


@contextmanager
def _ended_by_signals(server: uvicorn.Server, caught: list[signal.Signals]) -> Iterator[None]:
    """Let SIGINT and SIGTERM end a server in its own time; the second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, kinds = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
    running = asyncio.current_task()

    def end(kind: signal.Signals) -> None:
        if running is not None and not server.started and not caught:
            running.cancel()  # it is still getting ready
        server.force_exit = bool(caught)
        caught.append(kind)
        server.should_exit = True

    for kind in kinds:
        loop.add_signal_handler(kind, end, kind)
    try:
        yield
    except asyncio.CancelledError:
        if not caught:
            raise
    finally:
        for kind in kinds:
            loop.remove_signal_handler(kind)


def _hosts(host: str, names: Collection[str]) -> Collection[str] | None:
    if host not in LOOPBACK and not names:
        return None
    return {each.lower() for each in (*LOOPBACK, host, *names)}


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _listening(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return socket.create_server(address, family=family, backlog=1024)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"cannot listen on {host}:{port}",
            cause=str(getattr(error, "strerror", None) or error).lower(),
            remedy="Give another --port (0 for any), or another --host",
        ) from error
