"""The shell: every request passes it inward, every answer outward."""

from __future__ import annotations

import asyncio
import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from featkit.serving._guard import Guard
from featkit.serving._metrics import Metrics
from featkit.serving._refusing import refuse
from featkit.serving.refusals import Refusal, RefusedError

__all__ = ["Shell"]

_LOG = logging.getLogger("featkit.serving")

_FAULT = Refusal(code="fault", message="the server made an error", remedy="Tell its operator")
_ENDING = Refusal(code="ending", message="the server is ending", remedy="Try again in a moment")


class Shell:
    """Checks requests, seals and counts answers, and answers where the app inside fails.

    Args:
        app: Inside.
        guard: Knows who may ask.
        metrics: Counts.
    """

    def __init__(self, app: ASGIApp, *, guard: Guard, metrics: Metrics) -> None:
        self._app, self._guard, self._metrics = app, guard, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 0
        headless = scope["method"] == "HEAD"

        async def sealed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._guard.seal(MutableHeaders(scope=message))
            elif headless and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        inner = {**scope, "method": "GET"} if headless else scope
        try:
            self._guard.check(scope["path"], Headers(scope=scope))
            await self._app(inner, receive, sealed)
        except RefusedError as error:
            await refuse(error.status, error.refusal)(scope, receive, sealed)
        except asyncio.CancelledError:
            if not status:
                await refuse(503, _ENDING)(scope, receive, sealed)
            raise
        except Exception as error:
            # What it says may hold paths of the server: that is for its operator alone.
            _LOG.error("a request failed", exc_info=error)
            if status:
                raise
            await refuse(500, _FAULT)(scope, receive, sealed)
        finally:
            self._metrics.answered(scope["path"], status, time.perf_counter() - start)
