"""What the shared pages have to know of a kind that pulls, registered beside the routes."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import abort

from rgapp.dashboard.common import load
from rgapp.integrations.pulls.account import Account
from rgapp.models import Integration


@dataclass(frozen=True)
class PullSource:
    """How the other side is spoken of, and how it is asked.

    `other` is what people call it; `connect` and `after_mapping` are endpoints of the dashboard, without its name.
    `usual` are the fields of theirs that are offered first, `never_mapped` says what is read without being mapped.
    `open` opens the other side as the draft says, and raises `AccountError` where nothing opens it; where
    `needs_access` is False, it may stand open.
    """

    key: str
    other: str
    connect: str
    after_mapping: str
    usual: tuple[str, ...]
    never_mapped: str
    open: Callable[[Integration], Account]
    needs_access: bool = True


SOURCES: Final[dict[str, PullSource]] = {}


def register(*found: PullSource) -> None:
    """Add kinds."""
    SOURCES.update({source.key: source for source in found})


def pulling(integration_id: uuid.UUID) -> tuple[Integration, PullSource]:
    """Return the integration in the URL and what is known of its kind; 404 for one that does not pull."""
    integration = load(integration_id)
    source = SOURCES.get(integration.kind)
    if source is None:
        abort(404)
    return integration, source


def of_kind(integration_id: uuid.UUID, key: str) -> Integration:
    """Return the integration in the URL; 404 for one of another kind."""
    integration = load(integration_id)
    if integration.kind != key:
        abort(404)
    return integration
