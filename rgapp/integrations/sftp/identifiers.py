"""Identifier check of an example file: what its first rows call people, compared with the people already here."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rgapp.integrations.files.table import Cell, Unreadable
from rgapp.integrations.identifiers import MOST_LOOKED_AT, Claimed, IdentifierCheck, compare
from rgapp.integrations.sftp.columns import Sample
from rgapp.models import Integration
from rgapp.provisioning.record import Field, InvalidValue
from rgapp.provisioning.validation import clean_identifier, email_key


def check(session: Session, integration: Integration, sample: Sample) -> IdentifierCheck:
    """Compare the first rows, read with the draft's mapping, with the people of the programme."""
    mapping = integration.draft.get("mapping") or {}
    column = _column(mapping, Field.MEMBERSHIP_NO)
    numbers = sample.values(column) or ()
    addresses = sample.values(_column(mapping, Field.EMAIL)) or ()
    # Of a column blank cells were left out, so only two full ones stand side by side.
    paired = len(numbers) == len(addresses) == sample.rows
    claimed: dict[str, Claimed] = {}
    for index, cell in enumerate(numbers[:MOST_LOOKED_AT]):
        number = _text(cell)
        address = _text(addresses[index]) if paired else None
        if number:
            claimed.setdefault(number, Claimed(number, email_key(address) if address else None, address or ""))
    return compare(session, integration, list(claimed.values()), attribute=column)


def _column(mapping: Mapping[str, Any], name: Field) -> str:
    return str((mapping.get(name.value) or {}).get("column") or "")


def _text(cell: Cell) -> str | None:
    if not isinstance(cell, str) or isinstance(cell, Unreadable):
        return None
    try:
        return clean_identifier(cell)
    except InvalidValue:
        return None
