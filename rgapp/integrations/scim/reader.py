"""Turn a SCIM user resource into provisioning's source record."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rgapp.integrations.scim.paths import values_of
from rgapp.integrations.scim.settings import SCIMSettings
from rgapp.provisioning.mapping import read_record
from rgapp.provisioning.record import Field, Reading, SourceRecord

EXTERNAL_ID_LENGTH = 255


def read_user(
    resource: Mapping[str, Any],
    settings: SCIMSettings,
    *,
    today: date,
    active: bool,
    before: Mapping[str, Any] | None = None,
) -> Reading:
    """Read our fields from a resource (RFC 7643 section 4.1).

    `before` is the resource as the client left it last: a value that it has taken away since is cleared here too, where
    the field may be empty. What it never mentioned stays as it is.
    """
    values: dict[str, Sequence[str]] = {}
    for rule in settings.rules.values():
        found = values_of(resource, rule.name)
        if found:
            values[rule.name] = found
        elif before is not None and values_of(before, rule.name):
            values[rule.name] = [""]
    position = str(resource.get("userName") or "")
    record = SourceRecord(position, values, external_id=external_id_of(resource, settings), active=active)
    return read_record(record, settings.rules, today=today, blank_clears=before is not None)


def repeated_fields(before: Mapping[str, Any], resource: Mapping[str, Any], settings: SCIMSettings) -> frozenset[Field]:
    """Return the fields for which a resource says what it said before."""
    return frozenset(
        field
        for field, rule in settings.rules.items()
        if values_of(resource, rule.name) == values_of(before, rule.name)
    )


def external_id_of(resource: Mapping[str, Any], settings: SCIMSettings) -> str | None:
    """Return the client's own identifier, where it is another one than the Membership No."""
    if settings.rules[Field.MEMBERSHIP_NO].name == "externalId":
        return None
    found = values_of(resource, "externalId")
    return found[0] if found and 0 < len(found[0]) <= EXTERNAL_ID_LENGTH else None
