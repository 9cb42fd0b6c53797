"""The server: one page, and what it asks, as an ASGI app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse
from fastapi.security import HTTPBearer

from featkit.inference import Predictor
from featkit.serving._guard import Guard
from featkit.serving._refusing import refuses
from featkit.serving._routes import routes
from featkit.serving._service import Service
from featkit.serving._shell import Shell
from featkit.serving._thumbnails import Thumbnails
from featkit.serving.limits import Limits

__all__ = ["make_app"]

_PAGE = Path(__file__).parent / "page"
_FILES = {
    "/": "index.html",
    **{
        f"/{path.name}": path.name
        for path in sorted(_PAGE.glob("*.*"))
        if path.name != "index.html"
    },
}


def make_app(
    predictor: Predictor,
    *,
    limits: Limits | None = None,
    token: str | None = None,
    hosts: Collection[str] | None = None,
    thumbnails: Thumbnails | None = None,
    processes: int = 1,
) -> FastAPI:
    """Return the app that serves a model. Nothing that is sent to it is kept.

    Args:
        predictor: The model.
        limits: What is taken.
        token: What requests must carry; None where anyone may ask who reaches the server.
        hosts: Names that the server is called by, without ports; None for any. Without it a page
            elsewhere could ask a server on loopback through a name of its own.
        thumbnails: Pictures of training cases; None for none.
        processes: That decode.

    Raises:
        UsageError: The token is empty, or no header could carry it.
    """
    service = Service(
        predictor, limits=limits or Limits(), thumbnails=thumbnails, processes=processes
    )
    guard = Guard(token=token, hosts=hosts, open_paths={*_FILES, "/healthz"})

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    # The guard checks the token; here it is for whoever reads the description.
    described = [] if token is None else [Depends(HTTPBearer(auto_error=False))]
    app = FastAPI(
        title="featkit serve",
        description="Research use only: no medical device. Images are not kept.",
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    refuses(app)
    app.include_router(routes(service), dependencies=described)
    for path, name in _FILES.items():
        app.get(path, include_in_schema=False)(_file(name))
    app.add_middleware(Shell, guard=guard, metrics=service.metrics)
    return app


def _file(name: str) -> Callable[[], Coroutine[None, None, FileResponse]]:
    async def page() -> FileResponse:
        return FileResponse(_PAGE / name)

    return page
