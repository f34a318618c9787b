"""Explore: the catalogue of integrations, and a new draft from one of its tiles."""

from flask import abort, redirect, request
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, page, programme
from rgapp.dashboard.registry import has_pages
from rgapp.dashboard.steps import first_step
from rgapp.extensions import db, limiter, sealer
from rgapp.integrations import service
from rgapp.integrations.base import Tile
from rgapp.integrations.registry import catalogue, tile_of


@bp.get("/explore")
@staff(*EVERY_ROLE)
def explore(slug: str) -> str:
    """Show the catalogue, or the tiles that a search finds."""
    wanted = request.args.get("q", "").strip()[:100]
    tiles = [tile for tile in catalogue() if has_pages(tile.kind) and matches(tile, wanted)]
    groups: dict[str, list[Tile]] = {}
    for tile in tiles:
        groups.setdefault(tile.group, []).append(tile)
    return page("explore.html", groups=groups, found=len(tiles), wanted=wanted)


@bp.post("/new/<provider>")
@staff(*CHANGERS)
@limiter.limit("30/minute")
def new(slug: str, provider: str) -> Response:
    """Create a draft from a tile and open its set-up."""
    tile = tile_of(provider)
    if tile is None or not has_pages(tile.kind):
        abort(404)
    session = db.session()
    integration = service.create(
        session,
        programme(),
        kind=tile.kind,
        provider=tile.key,
        name=service.free_name(session, programme(), tile.name),
        sealer=sealer(),
        actor=actor(),
        now=utcnow(),
    )
    session.commit()
    return redirect(first_step(integration), 303)


def matches(tile: Tile, wanted: str) -> bool:
    """Tell whether every word of a search occurs in a tile."""
    text = f"{tile.name} {tile.group} {tile.summary} {tile.needs}".casefold()
    return all(word in text for word in wanted.casefold().split())
