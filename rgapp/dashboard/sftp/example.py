"""Example file: uploaded here or taken from the last upload; its columns are matched to our fields, ours to correct."""

import uuid
from collections.abc import Callable
from pathlib import Path

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, changed_meanwhile, page, programme, say_saved, seen
from rgapp.dashboard.sftp.connection import connection, example_folder, example_of, last_upload, made_account
from rgapp.dashboard.sftp.found import look
from rgapp.dashboard.steps import differs, steps_of
from rgapp.database import without_lock
from rgapp.extensions import db, limiter, sealer
from rgapp.integrations import service
from rgapp.integrations.files.errors import UnreadableFile
from rgapp.integrations.registry import kind_of
from rgapp.integrations.sftp import examples
from rgapp.integrations.sftp.columns import guess, status_values
from rgapp.integrations.sftp.examples import Example
from rgapp.integrations.sftp.forms import ContentForm, ExampleForm
from rgapp.integrations.sftp.openpgp import private_key
from rgapp.integrations.sftp.settings import value_key
from rgapp.integrations.sftp.words import sentence
from rgapp.models import Integration
from rgapp.templating import counted
from rgapp.wording import FIELD_LABELS, FIELD_REASONS

NO_UPLOAD = "No file has come by SFTP that is still there. Upload one, or choose it here."


@bp.get("/<uuid:integration_id>/sftp/example")
@staff(*EVERY_ROLE)
def sftp_example(slug: str, integration_id: uuid.UUID) -> str:
    """Show the example file and what is in it."""
    integration = connection(integration_id)
    return example_page(integration, *filled(integration))


@bp.post("/<uuid:integration_id>/sftp/example/file")
@staff(*CHANGERS)
@limiter.limit("30/minute")
def sftp_upload_example(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Take a file from the browser as the example."""
    integration, form = connection(integration_id), ExampleForm()
    if not form.validate():
        return example_page(integration, *filled(integration), file_form=form)
    upload = form.file.data

    def bring(path: Path) -> None:
        upload.save(path)
        path.chmod(0o600)

    return take(integration, form, upload.filename, bring, uploaded=True)


@bp.post("/<uuid:integration_id>/sftp/example/last")
@staff(*CHANGERS)
@limiter.limit("30/minute")
def sftp_take_last_upload(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Take the newest file that came by SFTP as the example."""
    integration = connection(integration_id)
    entry = last_upload(integration)
    if entry is None:
        flash(NO_UPLOAD, "warning")
        return redirect(url_for("dashboard.sftp_example", slug=slug, integration_id=integration_id), 303)
    form = ExampleForm(formdata=None)
    return take(integration, form, entry.sent_as, examples.link_or_copy(entry.path), uploaded=False)


@bp.post("/<uuid:integration_id>/sftp/example")
@staff(*CHANGERS)
def sftp_save_content(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save what is in the files and go on; stay here while a mandatory field has no column."""
    integration, form = connection(integration_id), ContentForm()
    conflict = changed_meanwhile(form, integration)
    if not form.validate() or conflict:
        return example_page(integration, form, guessed=False, conflict=conflict)
    changed = service.save_draft(db.session(), integration, actor=actor(), now=utcnow(), **form.parts())
    db.session.commit()
    missing = list(kind_of(integration.kind).missing(integration.draft))
    say_saved(changed, missing)
    target = "dashboard.sftp_example" if missing or "stay" in request.form else "dashboard.sftp_preview"
    return redirect(url_for(target, slug=slug, integration_id=integration_id), 303)


def take(
    integration: Integration, form: ExampleForm, name: str, bring: Callable[[Path], None], *, uploaded: bool
) -> str | Response:
    """Keep a file as the example; reading it may take a while, so nobody waits for the database meanwhile."""
    folder, key = example_folder(made_account(integration).username), private_key(integration, sealer())
    try:
        with without_lock():
            kept = examples.keep(folder, name, bring, key=key, uploaded=uploaded, now=utcnow())
    except UnreadableFile as error:
        integration = connection(integration.id)
        form.file.errors = [sentence(error)]
        return example_page(integration, *filled(integration), file_form=form)
    except FileNotFoundError:
        flash(NO_UPLOAD, "warning")
    else:
        flash(f"{kept.name} was read: {counted(len(kept.sample.layout.header), 'column')} found.", "success")
    return redirect(url_for("dashboard.sftp_example", slug=programme().slug, integration_id=integration.id), 303)


def filled(integration: Integration) -> tuple[ContentForm, bool]:
    """Return the form as the draft says, and as the example's columns are guessed; tells whether it was guessed."""
    form, example = ContentForm(formdata=None), example_of(integration)
    guesses = guess(example.sample) if example is not None else {}
    leaver = status_values(example.sample, guesses["status"]).leaver if example and "status" in guesses else ()
    guessed = form.fill(integration.draft, guesses, leaver)
    form.seen.data = seen(integration)
    return form, guessed


def example_page(
    integration: Integration,
    form: ContentForm,
    guessed: bool,
    *,
    file_form: ExampleForm | None = None,
    conflict: bool = False,
) -> str:
    """Render the example file with what is found in it under this form."""
    example = example_of(integration)
    today = utcnow().astimezone(programme().zone).date()
    found = look(example, form, programme().usual_date_format, today)
    offer_leavers(form, example)
    form.offer([name for name, _ in found.columns], found.formats)
    return page(
        "sftp/example.html",
        integration,
        form=form,
        file_form=file_form or ExampleForm(formdata=None),
        steps=steps_of(integration),
        current="example",
        example=example,
        found=found,
        guessed=guessed,
        upload=last_upload(integration),
        labels=FIELD_LABELS,
        reasons=FIELD_REASONS,
        left={value_key(value) for value in form.leaver_values()},
        value_key=value_key,
        preview_url=url_for("manager.mail_preview", slug=programme().slug, kind="welcome"),
        conflict=differs(integration) if conflict else None,
    )


def offer_leavers(form: ContentForm, example: Example | None) -> None:
    """Where a status column was chosen and no value named yet, write those that seem to mean it into the form."""
    if example is not None and form.status_column.data and not form.leaver_values():
        form.leaver.data = "\n".join(status_values(example.sample, form.status_column.data).leaver)
