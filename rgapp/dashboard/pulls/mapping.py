"""Mapping: which of their fields each of ours comes from, offered by label, with values of three real people."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, changed_meanwhile, page, programme, say_saved, seen
from rgapp.dashboard.pulls.asking import ask
from rgapp.dashboard.pulls.sources import PullSource, pulling
from rgapp.dashboard.steps import differs, steps_of
from rgapp.extensions import db, limiter
from rgapp.integrations import service
from rgapp.integrations.mapped import date_format_choices, missing_of_mapping
from rgapp.integrations.pulls.account import Account, AccountField
from rgapp.integrations.pulls.forms import MappingForm
from rgapp.integrations.pulls.kind import ISO_DATE
from rgapp.models import Integration
from rgapp.provisioning.record import Field, InvalidValue
from rgapp.provisioning.validation import READERS, clean, clean_identifier, read_date_of_birth
from rgapp.wording import FIELD_LABELS, FIELD_REASONS, long_date, problem_sentence

PEOPLE_SHOWN: Final = 3


@dataclass(frozen=True)
class Known:
    """What the other side says of itself: its fields, and a few people."""

    fields: Sequence[AccountField] = ()
    people: Sequence[Mapping[str, str]] = ()


@bp.get("/<uuid:integration_id>/pull/mapping")
@staff(*EVERY_ROLE)
@limiter.limit("60/minute")
def pull_mapping(slug: str, integration_id: uuid.UUID) -> str:
    """Show Mapping."""
    integration, source = pulling(integration_id)
    form = MappingForm(formdata=None)
    form.fill(integration.draft)
    form.seen.data = seen(integration)
    return mapping_page(integration, source, form)


@bp.post("/<uuid:integration_id>/pull/mapping")
@staff(*CHANGERS)
def pull_save_mapping(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save Mapping and go on; stay here while a mandatory field has no source."""
    integration, source = pulling(integration_id)
    form = MappingForm()
    conflict = changed_meanwhile(form, integration)
    if not form.validate() or conflict:
        return mapping_page(integration, source, form, conflict=conflict)
    changed = service.save_draft(db.session(), integration, actor=actor(), now=utcnow(), mapping=form.mapping())
    db.session.commit()
    missing = missing_of_mapping(integration.draft)
    say_saved(changed, missing)
    if not missing and changed and integration.live_version is not None:
        flash("What is live has not changed. Publish to bring this to people.", "info")
    target = "dashboard.pull_mapping" if missing or "stay" in request.form else f"dashboard.{source.after_mapping}"
    return redirect(url_for(target, slug=slug, integration_id=integration_id), 303)


def mapping_page(integration: Integration, source: PullSource, form: MappingForm, *, conflict: bool = False) -> str:
    """Render Mapping, with what the other side has."""
    untouched = not integration.draft.get("mapping") and not form.is_submitted()
    asked = ask(integration, source, lambda account: known_of(account, form, guess=untouched), Known())
    form.offer(asked.value.fields, source.usual, date_format_choices(ISO_DATE, form.date_format.data))
    people = asked.value.people
    samples = {field.value: sample_of(field, form, people) for field in Field if form.field_of(field)}
    return page(
        "pulls/mapping.html",
        integration,
        form=form,
        source=source,
        asked=asked,
        people=len(people),
        samples=samples if people else {},
        guessed=untouched and any(map(form.field_of, Field)),
        hidden={name for name, values in samples.items() if people and not any(value for value, _ in values)},
        labels=FIELD_LABELS,
        reasons=FIELD_REASONS,
        steps=steps_of(integration),
        current="mapping",
        conflict=differs(integration) if conflict else None,
    )


def known_of(account: Account, form: MappingForm, *, guess: bool) -> Known:
    """Return the fields there are, and those that are chosen of a few people; `guess` chooses by their labels first."""
    fields = account.fields()
    if guess:
        form.guess(fields)
    asked = list(dict.fromkeys(filter(None, [*map(form.field_of, Field), form.otherwise.data])))
    return Known(fields, account.people(asked, most=PEOPLE_SHOWN) if asked else ())


def sample_of(field: Field, form: MappingForm, people: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """Return what each of these people has in one of our fields, and how we read it where that differs."""
    found = []
    for one in people:
        value = one.get(form.field_of(field)) or ""
        if field is Field.EMAIL and not value and form.otherwise.data:
            value = one.get(form.otherwise.data) or ""
        found.append((value, reading_of(field, value, form.date_format.data or "") if value else ""))
    return found


def reading_of(field: Field, value: str, date_format: str) -> str:
    """Say how we read a value: a date in long form, what is wrong with one that cannot be read, else nothing."""
    today = utcnow().astimezone(programme().zone).date()
    try:
        text = clean_identifier(value) if field.mandatory else clean(value)
        if field is Field.DATE_OF_BIRTH:
            return long_date(read_date_of_birth(text, date_format, today)) if date_format else ""
        read = READERS[field](text)
    except InvalidValue as error:
        return problem_sentence(field, error.code, error.data, "")
    return str(read) if str(read) != value else ""
