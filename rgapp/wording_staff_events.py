"""Words for the audit events about staff: sentence, icon and colour of each, and a line of detail."""

from collections.abc import Mapping
from typing import Any

from rgapp.audit import Tag

# The sentence, where {name} is the staff member; the icon; the semantic colour.
STAFF_EVENTS: dict[Tag, tuple[str, str, str]] = {
    Tag.STAFF_CREATED: ("Access to Reward Manager created", "person-badge", "info"),
    Tag.STAFF_SIGNED_IN: ("Signed in to Reward Manager", "box-arrow-in-right", "ok"),
    Tag.STAFF_SIGN_IN_REFUSED: ("Sign-in to Reward Manager refused", "x-circle", "failed"),
    Tag.STAFF_SIGNED_OUT: ("Signed out of Reward Manager", "box-arrow-right", "off"),
    Tag.STAFF_PASSWORD_SET: ("Password of {name} for Reward Manager set", "key", "info"),
    Tag.STAFF_LINK_ISSUED: ("Link to set a password issued", "link-45deg", "info"),
    Tag.STAFF_GRANTED: ("Access to this programme granted", "person-check", "info"),
    Tag.STAFF_REVOKED: ("Access to this programme taken from {name}", "person-dash", "attention"),
    Tag.STAFF_DEACTIVATED: ("Access of {name} to Reward Manager taken away", "person-x", "attention"),
    Tag.STAFF_REACTIVATED: ("Access of {name} to Reward Manager given back", "person-check", "info"),
    Tag.STAFF_SESSIONS_ENDED: ("Browsers of {name} signed out of Reward Manager", "box-arrow-right", "off"),
    Tag.STAFF_SECOND_STEP_ON: ("Two-step sign-in of {name} switched on", "shield-check", "ok"),
    Tag.STAFF_SECOND_STEP_OFF: ("Two-step sign-in of {name} switched off", "shield-slash", "attention"),
    Tag.STAFF_SECOND_STEP_RESET: ("Two-step sign-in of {name} reset", "shield-exclamation", "attention"),
    Tag.STAFF_SECOND_STEP_REFUSED: ("Right password of {name}, but a wrong code", "shield-x", "failed"),
    Tag.STAFF_RECOVERY_CODES_MADE: ("New recovery codes for {name}", "key", "info"),
    Tag.STAFF_RECOVERY_CODE_USED: ("Recovery code of {name} used", "key", "attention"),
}
SECOND_STEPS = {"app": "With a code of the authenticator app.", "recovery-code": "With a recovery code."}


def staff_detail(tag: Tag, facts: Mapping[str, Any]) -> str:
    """Return the line under the sentence: whose access it is, and what is worth a number."""
    if tag is Tag.STAFF_SIGNED_IN:
        return SECOND_STEPS.get(str(facts.get("second_step")), "")
    words = [str(facts["email"])] if facts.get("email") else []
    if ended := facts.get("sessions"):
        words.append(f"{ended} session{'' if ended == 1 else 's'} ended.")
    if tag is Tag.STAFF_RECOVERY_CODE_USED:
        left = facts.get("left", 0)
        words.append(f"{left} recovery code{'' if left == 1 else 's'} left.")
    return " · ".join(words)
