"""One request of a SCIM client as pages show it: outcome, verdict of each field, who puts it right, text for IT."""

from dataclasses import dataclass
from typing import Any

from flask import url_for

from rgapp import wording
from rgapp.dashboard.fields import FIXER_WORDS, field_row, fields_as_text
from rgapp.integrations.scim.trying import AGAIN, PASTED
from rgapp.models import Integration, Programme, SCIMRequest
from rgapp.provisioning.record import Field
from rgapp.templating import exact_time
from rgapp.wording_scim import is_of_group, request_fix, request_sentence

FOUND = frozenset({"ok", "wrong"})


@dataclass(frozen=True)
class Sheet:
    """One request with its words; `changes` are label, before and after."""

    request: SCIMRequest
    sentence: str
    state: str
    note: str
    fixer: str
    fields: list[dict[str, Any]]
    changes: list[tuple[str, str | None, str | None]]
    used: list[str]
    person_url: str | None

    @property
    def is_of_group(self) -> bool:
        """Tell whether it was about a group, not about a person."""
        return is_of_group(self.request.path)

    @property
    def is_pasted(self) -> bool:
        """Tell whether somebody pasted this in place of a client."""
        return self.request.method == PASTED

    @property
    def is_again(self) -> bool:
        """Tell whether this is somebody whom the client brought, read again with a draft."""
        return self.request.method == AGAIN


def sheet_of(request: SCIMRequest, programme: Programme) -> Sheet:
    """Put one request into words."""
    fixer, note = request_fix(request)
    warned = any(entry["state"] in {"wrong", "missing"} for entry in request.fields)
    return Sheet(
        request=request,
        sentence=request_sentence(request),
        state="refused" if not request.accepted else "warning" if warned else "ok",
        note=note,
        fixer=fixer,
        fields=[field_row(entry) for entry in request.fields],
        changes=[change_words(one) for one in request.changes],
        used=[entry["looked_for"] for entry in request.fields if entry["state"] in FOUND],
        person_url=url_for("users.person", slug=programme.slug, user_id=request.user_id) if request.user_id else None,
    )


def change_words(change: dict[str, Any]) -> tuple[str, str | None, str | None]:
    """Return what changed: the field's label, and the value before and after where they are kept."""
    name = str(change.get("field", ""))
    label = wording.FIELD_LABELS[Field(name)] if name in set(Field) else name
    return label, change.get("before"), change.get("after")


def text_for_it(sheet: Sheet, integration: Integration, programme: Programme, address: str) -> str:
    """Return plain text for the client's IT team: names of attributes, never a person's data."""
    one = sheet.request
    # The query of an address and the words of a refusal may name the person, so both stay here.
    path = one.path.partition("?")[0]
    lines = [
        f"SCIM request to {programme.name} through “{integration.live_name or integration.name}”",
        f"{one.method} {path}, {exact_time(one.at, programme.zone)}",
        f"Answered with {one.status}{' ' + one.scim_type if one.scim_type else ''}"
        + (" (listening: nothing was written)" if one.listening else ""),
        "",
        f"Base URL: {address}",
        f"Token ending in: {one.token_hint or '-'}",
    ]
    if sheet.note:
        who = FIXER_WORDS.get(sheet.fixer)
        lines += ["", f"To be put right{' in ' + who if who else ''}: {sheet.note}"]
    if sheet.fields:
        lines += ["", "Fields:", *fields_as_text(sheet.fields)]
    if one.arrived:
        lines += ["", "Attributes that arrived:", *(f"- {name}" for name in one.arrived)]
    return "\n".join(lines)
