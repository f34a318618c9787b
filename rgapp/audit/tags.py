"""Audit tags, `subject:action`: the closed set of things that can happen."""

from enum import StrEnum


class Tag(StrEnum):
    """What an audit event says happened."""

    USER_CREATED = "user:created"
    USER_UPDATED = "user:updated"
    USER_DEACTIVATED = "user:deactivated"
    USER_REACTIVATED = "user:reactivated"
    USER_EMAIL_RELEASED = "user:email-released"
    USER_SIGNED_IN = "user:signed-in"
    USER_SIGNED_OUT = "user:signed-out"
    USER_SESSIONS_ENDED = "user:sessions-ended"
    USER_WELCOME_RESENT = "user:welcome-resent"
    USER_PASSWORD_SET = "user:password-set"  # noqa: S105 - the name of an event.
    USERS_EXPORTED = "user:list-exported"
    INTEGRATION_CREATED = "integration:created"
    INTEGRATION_DRAFT_SAVED = "integration:draft-saved"
    INTEGRATION_TESTED = "integration:tested"
    INTEGRATION_PUBLISHED = "integration:published"
    INTEGRATION_PAUSED = "integration:paused"
    INTEGRATION_RESUMED = "integration:resumed"
    INTEGRATION_DELETED = "integration:deleted"
    INTEGRATION_RESTORED = "integration:restored"
    SCIM_TOKEN_ISSUED = "integration:token-issued"  # noqa: S105 - the name of an event.
    SCIM_TOKEN_REVOKED = "integration:token-revoked"  # noqa: S105 - the name of an event.
    SYNC_APPLIED = "integration:sync-applied"
    SYNC_HELD = "integration:sync-held"
    SYNC_FAILED = "integration:sync-failed"
    SYNC_RELEASE_ASKED = "integration:sync-release-asked"
    SYNC_RELEASED = "integration:sync-released"
    SYNC_DISCARDED = "integration:sync-discarded"
    SFTP_ACCOUNT_CREATED = "integration:account-created"
    SFTP_PASSWORD_SET = "integration:password-set"  # noqa: S105 - the name of an event.
    SFTP_PASSWORD_ENDED = "integration:password-ended"  # noqa: S105 - the name of an event.
    SFTP_KEY_ADDED = "integration:key-added"
    SFTP_KEY_REMOVED = "integration:key-removed"
    PULL_ACCESS_SET = "integration:access-set"
    GUARD_ALERTED = "programme:guard-alerted"
    ALERT_SETTLED = "programme:alert-settled"
    PROGRAMME_CREATED = "programme:created"
    PROGRAMME_UPDATED = "programme:updated"
    STAFF_CREATED = "staff:created"
    STAFF_SIGNED_IN = "staff:signed-in"
    STAFF_SIGN_IN_REFUSED = "staff:sign-in-refused"
    STAFF_SIGNED_OUT = "staff:signed-out"
    STAFF_PASSWORD_SET = "staff:password-set"  # noqa: S105 - the name of an event.
    STAFF_LINK_ISSUED = "staff:link-issued"
    STAFF_GRANTED = "staff:granted"
    STAFF_REVOKED = "staff:revoked"
    STAFF_DEACTIVATED = "staff:deactivated"
    STAFF_REACTIVATED = "staff:reactivated"
    STAFF_SESSIONS_ENDED = "staff:sessions-ended"
    STAFF_SECOND_STEP_ON = "staff:second-step-on"
    STAFF_SECOND_STEP_OFF = "staff:second-step-off"
    STAFF_SECOND_STEP_RESET = "staff:second-step-reset"
    STAFF_SECOND_STEP_REFUSED = "staff:second-step-refused"
    STAFF_RECOVERY_CODES_MADE = "staff:recovery-codes-made"
    STAFF_RECOVERY_CODE_USED = "staff:recovery-code-used"
