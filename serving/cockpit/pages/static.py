"""What pages load: our style sheet, htmx and the icon, from this service and from nowhere else."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from serving.cockpit.assets import assets, version
from serving.errors import ApiError

router = APIRouter(include_in_schema=False)
FOR_GOOD = "public, max-age=31536000, immutable"
NOT_WITHOUT_ASKING = "no-cache"


@router.get("/cockpit/static/{version}/{name}")
async def get_asset(request: Request) -> Response:
    """A file; its address changes with its content, so browsers keep it. An older address gives today's file."""
    asset = assets().get(request.path_params["name"])
    if asset is None:
        raise ApiError("not_found")
    is_current = request.path_params["version"] == version()
    tag = f'"{version()}"'
    headers = {"ETag": tag, "Cache-Control": FOR_GOOD if is_current else NOT_WITHOUT_ASKING}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)
