"""``/layers/ROLE/VERSION/map`` and its vector tiles."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
import shapely
from fastapi import APIRouter, Request
from starlette.responses import Response

from geoplan.errors import NotFound
from geoplan.messages import Lang
from geoplan_api.negotiate import HTML, weighed
from geoplan_api.respond import FRESH, only, page
from geoplan_api.routes.documented import documented
from geoplan_api.service import service_of
from geoplan_api.tile_desk import TileDesk
from geoplan_layers.overlaps import Overlaps
from geoplan_layers.prepared.version import Version
from geoplan_web.layer_kinds import LayerClass
from geoplan_web.layer_map import LayerSheet, draw_layer
from geoplan_web.wording import Json

if TYPE_CHECKING:
    from geoplan_layers.prepared.tiles.tileset import TileSet

MVT = "application/vnd.mapbox-vector-tile"
LEFT_OUT = "Geoplan-Left-Out"
_SCREEN = 900
"""Pixels that a boundary takes on the map of a layer."""
_NUMBER = re.compile(r"[0-9]{1,9}")
router = APIRouter(tags=["layers"])


@router.get("/layers/{role}/{version}/map", response_class=Response, responses=documented(HTML))
def layer_map(request: Request, role: str, version: str) -> Response:
    """图层地图 / the map of a whole layer."""
    only(request, HTML)
    desk = service_of(request).tiles
    about, tiles = desk.held(role, version)
    desk.warm()
    sheet = sheet_of(about, tiles)
    return page(request, lambda lang, nonce: draw_layer(sheet, lang, nonce=nonce))


@router.get("/layers/{role}/{version}/tiles/{z}/{x}/{y}.pbf", response_class=Response, responses=documented(MVT))
def layer_tile(request: Request, role: str, version: str, z: str, x: str, y: str) -> Response:
    """矢量瓦片（MVT 2.1）/ a vector tile; 204 where there is nothing."""
    from geoplan_layers.prepared.tiles.address import Tile
    from geoplan_layers.prepared.tiles.tileset import FORM

    desk = service_of(request).tiles
    if not all(_NUMBER.fullmatch(each) for each in (z, x, y)) or not Tile(int(z), int(x), int(y)).exists:
        raise NotFound("tile-none", z=z[:20], x=x[:20], y=y[:20])
    tag = f'"{version}.{FORM}.{z}.{x}.{y}"'
    headers = {"ETag": tag, "Cache-Control": FRESH, "Vary": "Accept-Encoding"}
    if tag in request.headers.get("if-none-match", ""):
        desk.held(role, version)  # what is gone is not "as you have it"
        return Response(status_code=304, headers=headers)
    kept = desk.tile(role, version, Tile(int(z), int(x), int(y)))
    headers[LEFT_OUT] = str(kept.left_out)
    if not kept.packed:
        return Response(status_code=204, headers=headers)
    if not dict(weighed(request.headers.get("accept-encoding", ""))).get("gzip"):
        return Response(gzip.decompress(kept.packed), headers=headers, media_type=MVT)
    return Response(kept.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=MVT)


def maps_of(desk: TileDesk, content: Json, overlaps: Overlaps, lang: Lang) -> dict[str, str]:
    """Addresses of the maps of the layers of a report that the home still holds, at the place of the boundary."""
    held = {each["role"]: desk.of_hash(each["sha256"]) for each in content["layers"]}
    west, south, east, north = shapely.bounds(overlaps.plane.lonlat_shapes(overlaps.boundaries["planning"]))
    zoom = min(17.0, np.floor(np.log2(360 * _SCREEN / (256 * max(east - west, 1e-5)))))
    place = f"#{zoom:.0f}/{(south + north) / 2:.5f}/{(west + east) / 2:.5f}"
    return {role: f"{_base(about)}/map?lang={lang}{place}" for role, about in held.items() if about}


def _base(about: Version) -> str:
    return f"/layers/{quote(about.role, safe='')}/{about.id}"


def sheet_of(about: Version, tiles: TileSet) -> LayerSheet:
    """What the map of a version tells of it."""
    from geoplan_layers.prepared.tiles.address import DEEPEST

    meta = about.meta
    base = _base(about)
    return LayerSheet(
        role=about.role,
        version=about.id,
        file=about.file,
        day=meta.day.isoformat() if meta.day else None,
        coverage=about.coverage_from,
        invented=meta.invented,
        generation=meta.generation,
        patches=meta.patches,
        classes=[LayerClass(each.code, each.name, each.patches) for each in meta.classes],
        box=tiles.ground,
        meridian=meta.central_meridian,
        tiles=f"{base}/tiles/{{z}}/{{x}}/{{y}}.pbf",
        detail_from=tiles.detail_from,
        deepest=DEEPEST,
        about=base,
    )
