"""What can be asked, as OpenAPI describes it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from featkit.serving._service import Service, Wish
from featkit.serving.answers import AboutModel, AnswerBody, Health
from featkit.serving.refusals import RefusalBody, RefusedError

__all__ = ["routes"]

_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["images"],
                "additionalProperties": False,
                "properties": {
                    "images": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "string", "format": "binary"},
                    }
                },
            }
        }
    },
}

_WHAT: Mapping[int, str] = MappingProxyType(
    {
        400: "The request cannot be read",
        401: "The token is missing or wrong",
        403: "The server is not called by this name, or by a page from elsewhere",
        404: "Not there",
        413: "Too many bytes or images",
        415: "No files in the request",
        422: "No image, or a parameter that cannot be meant",
        500: "A fault of the server",
        503: "Too many images at once",
        504: "It took too long",
    }
)


def _refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {each: {"model": RefusalBody, "description": _WHAT[each]} for each in statuses}


def routes(service: Service) -> APIRouter:
    """Return the paths at which a service can be asked."""
    router = APIRouter()

    @router.get("/healthz", operation_id="health", responses=_refusals(403, 503))
    async def health() -> Health:
        """Tell whether the server can answer."""
        if not service.able:
            raise RefusedError(503, "not_able", "images cannot be answered", "Restart the server")
        return Health(status="ok")

    @router.get(
        "/metrics",
        operation_id="metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}, **_refusals(401, 403)},
    )
    async def numbers() -> Response:
        """Return counts and times in Prometheus' format."""
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/api/model", operation_id="model", responses=_refusals(401, 403))
    async def model() -> AboutModel:
        """Return what is known of the model."""
        return service.about

    @router.post(
        "/api/predict",
        operation_id="predict",
        responses=_refusals(400, 401, 403, 413, 415, 422, 500, 503, 504),
        openapi_extra={"requestBody": _BODY},
    )
    async def predict(
        request: Request,
        cases: Annotated[int, Query(ge=0, le=20, description="Training cases to show")] = 0,
        heat: Annotated[bool, Query(description="Make heat maps")] = False,
        label: Annotated[
            str | None, Query(description="Class of the maps; else each image's most probable one")
        ] = None,
        preview: Annotated[bool, Query(description="Return each image, upright and small")] = False,
    ) -> AnswerBody:
        """Return probabilities for each image; one that cannot be read has an error of its own."""
        return await service.predict(request, Wish(cases, heat, label, preview))

    @router.get(
        "/api/cases/{image_id:path}",
        operation_id="thumbnail",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}, **_refusals(401, 403, 404)},
    )
    async def thumbnail(image_id: str) -> Response:
        """Return a small picture of a training case."""
        pictures, found = service.thumbnails, None
        if pictures is not None and image_id in pictures:
            found = await asyncio.to_thread(pictures.of, image_id)
        if found is None:
            raise RefusedError(404, "no_picture", "there is no picture of this case", "Ask another")
        return Response(found, media_type="image/jpeg")

    return router
