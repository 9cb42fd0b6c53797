"""Refusing: whatever goes wrong, the answer is JSON of one shape."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from featkit.serving.refusals import Refusal, RefusalBody, RefusedError

__all__ = ["refuse", "refuses"]

_REMEDY = "See /openapi.json"

_CODES: Mapping[int, str] = MappingProxyType({404: "not_found", 405: "wrong_method"})


def refuse(status: int, refusal: Refusal, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer that says why there is no other."""
    extra = dict(headers or {})
    if status == 401:
        extra["WWW-Authenticate"] = "Bearer"
    if status == 503:
        extra["Retry-After"] = "1"
    body = RefusalBody(error=refusal).model_dump()
    return JSONResponse(body, status_code=status, headers=extra)


def refuses(app: FastAPI) -> None:
    """Have an app answer all that it foresees so."""

    @app.exception_handler(RefusedError)
    async def refused(_: Request, error: RefusedError) -> Response:
        return refuse(error.status, error.refusal)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        message = f"{first['loc'][-1]}: {first['msg']}"
        return refuse(422, Refusal(code="invalid", message=message, remedy=_REMEDY))

    @app.exception_handler(HTTPException)
    async def other(_: Request, error: HTTPException) -> Response:
        code = _CODES.get(error.status_code, "http")
        refusal = Refusal(code=code, message=str(error.detail).lower(), remedy=_REMEDY)
        return refuse(error.status_code, refusal, error.headers)
