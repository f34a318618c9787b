"""Finish a sign-in: from the posted response to a session, or to a refusal that explains itself twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from rgapp.audit import Actor, ActorKind
from rgapp.auth.users import FederatedLogin, open_session
from rgapp.database import go_on_writing, pause_reading, reading
from rgapp.integrations import service as integrations
from rgapp.integrations.saml.attempts import StoredAttempt, dry_run, policy_of, store_attempt
from rgapp.integrations.saml.reader import read_assertion
from rgapp.integrations.saml.response import examine
from rgapp.integrations.saml.settings import InboundSAMLSettings
from rgapp.integrations.saml.verdict import ExpectedRequest, Verdict, VerifiedAssertion
from rgapp.models import Purpose, SAMLReplay
from rgapp.models.rows import insert_if_new, together
from rgapp.provisioning import Outcome, Reading, provision
from rgapp.sealing import Sealer
from rgapp.sso import requests
from rgapp.sso.context import ConnectionContext, read_settings
from rgapp.sso.requests import Pending
from rgapp.tokens import hash_token


@dataclass(frozen=True)
class PostedResponse:
    """What came to the ACS: the form's fields and the browser's binding tokens."""

    saml_response: str | None
    relay_state: str
    parameters: Sequence[str]
    browser_tokens: Sequence[str]
    user_agent: str


@dataclass(frozen=True)
class Settings:
    """What of the configuration a sign-in needs."""

    base_url: str
    sealer: Sealer
    retention_days: int


@dataclass(frozen=True)
class SignIn:
    """What came of it: a session token with where to go, a finished test, or a refusal."""

    attempt: StoredAttempt
    session_token: str | None = None
    next_path: str = ""
    was_test: bool = False
    missing: tuple[str, ...] = ()


def finish(
    session: Session, context: ConnectionContext, posted: PostedResponse, settings: Settings, *, now: datetime
) -> SignIn:
    """Finish one sign-in and commit.

    First everything is read and the response examined, outside any transaction that writes; then one transaction uses
    up the request, remembers the assertion, provisions the user, stores the attempt and opens the session: all of it
    or nothing.
    """
    with reading():
        request = requests.find(session, context.integration, posted.relay_state, now=now)
        pause_reading(session)  # The examination holds no lock.
    if request is not None and request.purpose == Purpose.TEST:
        go_on_writing(session)
        return _finish_test(session, context, request, posted, settings, now)
    if not context.is_live or context.live is None:
        go_on_writing(session)
        return _refuse(session, context, None, "not_live", settings, now)
    verdict = examine(
        posted.saml_response,
        context.connection(context.live, settings.base_url, settings.sealer),
        request=ExpectedRequest(request.request_id) if request is not None else None,
        now=now,
        arrived_parameters=posted.parameters,
    )
    contents = verdict.assertion or verdict.seen
    read = read_assertion(contents, context.live, today=now.date()) if contents is not None else None
    go_on_writing(session)
    if request is not None and not _same_browser(request, posted):
        # The request stays open: the browser that started it may still finish.
        return _refuse(session, context, verdict, "other_browser", settings, now, read)
    if request is not None and not requests.use_up(session, request):
        session.rollback()
        return _refuse(session, context, verdict, "request_unknown", settings, now, read)
    if verdict.assertion is None or read is None:
        return _refuse(session, context, verdict, "", settings, now, read, unsolicited=request is None)
    if not _remember(session, context, verdict.assertion):
        return _refuse(session, context, verdict, "replayed", settings, now, read, unsolicited=request is None)
    return _provision(session, context, context.live, verdict, read, request, posted, settings, now)


def _provision(
    session: Session,
    context: ConnectionContext,
    live: InboundSAMLSettings,
    verdict: Verdict,
    reading: Reading,
    request: Pending | None,
    posted: PostedResponse,
    settings: Settings,
    now: datetime,
) -> SignIn:
    integration, programme = context.integration, context.programme
    policy = policy_of(integration, live)
    actor = Actor(ActorKind.INTEGRATION, policy.name, integration.id)
    token = None
    with together(session):
        outcome = provision(session, programme.id, reading, policy, actor, now=now, signs_in=True)
        attempt = store_attempt(
            session,
            integration,
            verdict,
            purpose=Purpose.SIGN_IN,
            outcome=outcome,
            reading=reading,
            now=now,
            retention_days=settings.retention_days,
            idp_initiated=request is None,
        )
        if outcome.accepted and outcome.user_id is not None and verdict.assertion is not None:
            token = open_session(
                session,
                programme.id,
                outcome.user_id,
                user_agent=posted.user_agent,
                now=now,
                federated=_federated(context, verdict.assertion),
            )
    session.commit()
    if token is None:
        return SignIn(attempt, missing=_missing(outcome))
    next_path = request.next_path if request is not None else posted.relay_state
    return SignIn(attempt, session_token=token, next_path=next_path)


def _finish_test(
    session: Session,
    context: ConnectionContext,
    request: Pending,
    posted: PostedResponse,
    settings: Settings,
    now: datetime,
) -> SignIn:
    """Finish an admin's test sign-in: the draft is examined, and nothing but the attempt is written."""
    integration = context.row(session)
    draft = read_settings(integration.draft)
    if not _same_browser(request, posted) or draft is None or not requests.use_up(session, request):
        session.rollback()
        return _refuse(session, context, None, "other_browser", settings, now, purpose=Purpose.TEST)
    result = dry_run(
        session,
        integration,
        draft,
        posted.saml_response,
        base_url=settings.base_url,
        sealer=settings.sealer,
        now=now,
        purpose=Purpose.TEST,
        retention_days=settings.retention_days,
        request=ExpectedRequest(request.request_id),
    )
    integrations.note_test(session, integration, passed=result.attempt.accepted, tested=integration.draft)
    session.commit()
    return SignIn(result.attempt, was_test=True)


def _refuse(
    session: Session,
    context: ConnectionContext,
    verdict: Verdict | None,
    reason: str,
    settings: Settings,
    now: datetime,
    reading: Reading | None = None,
    *,
    unsolicited: bool = False,
    purpose: Purpose = Purpose.SIGN_IN,
) -> SignIn:
    attempt = store_attempt(
        session,
        context.integration,
        verdict,
        purpose=purpose,
        reading=reading,
        reason=reason,
        now=now,
        retention_days=settings.retention_days,
        idp_initiated=unsolicited,
    )
    session.commit()
    return SignIn(attempt, was_test=purpose is Purpose.TEST)


def _same_browser(request: Pending, posted: PostedResponse) -> bool:
    """Tell whether the browser that started the sign-in brings its answer; others could be signed in as anyone."""
    return any(hash_token(token) == request.browser_hash for token in posted.browser_tokens)


def _remember(session: Session, context: ConnectionContext, assertion: VerifiedAssertion) -> bool:
    """Remember that an assertion was used; False where it was used before, on any web process."""
    row = {
        "programme_id": context.programme.id,
        "integration_id": context.integration.id,
        "replay_key": assertion.replay_key,
        "expires_at": assertion.not_on_or_after,
    }
    return insert_if_new(session, SAMLReplay, row)


def _federated(context: ConnectionContext, assertion: VerifiedAssertion) -> FederatedLogin:
    def fitting(value: str | None, longest: int) -> str | None:
        return value if value is not None and len(value) <= longest else None

    name_qualifier, sp_name_qualifier = assertion.name_qualifiers
    return FederatedLogin(
        integration_id=context.integration.id,
        name_id=fitting(assertion.name_id, 1024),
        name_id_format=fitting(assertion.name_id_format, 200),
        name_qualifier=fitting(name_qualifier, 1024),
        sp_name_qualifier=fitting(sp_name_qualifier, 1024),
        session_index=fitting(assertion.session_index, 1024),
        not_on_or_after=assertion.session_not_on_or_after,
    )


def _missing(outcome: Outcome) -> tuple[str, ...]:
    return tuple(entry.field.value for entry in outcome.reading.errors)
