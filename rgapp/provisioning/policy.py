"""What a source may do: create, update, deactivate, reactivate, and which mail follows."""

import uuid
from dataclasses import dataclass
from enum import StrEnum

from rgapp.provisioning.record import Field


class Source(StrEnum):
    """The kinds of source that users come from."""

    SAML = "inbound-saml"
    SCIM = "scim"
    SFTP = "sftp"
    BAMBOOHR = "bamboohr"
    JSON_REPORT = "json-report"
    HAND = "hand"


@dataclass(frozen=True)
class Policy:
    """What one source may do with the users of one programme.

    `creates_inactive` sources may name people before their first day: the account is made as a leaver's. `owns` makes
    the fields that a record states this integration's own (Provision Master). A `whole` record is refused where it
    would change a field that another directory owns; of others that field is left out, and so are those that the record
    only `repeats`: the source said the same before, so it asks for no change of them. What is not `counted` a person
    has looked at and released: the guard does not count whom it takes out.

    `identifies` sources prove who someone is, so a contradicting date of birth refuses them; for the others it is a
    correction. `takes_leaver_email` lets an address that only a leaver holds pass to a new person. Fields that another
    live directory integration owns are never changed; that is the integration's property, not this policy's.
    """

    source: Source
    name: str
    integration_id: uuid.UUID | None = None
    create: bool = False
    update: bool = False
    deactivate: bool = False
    reactivate: bool = False
    welcome_email: bool = False
    identifies: bool = False
    takes_leaver_email: bool = False
    creates_inactive: bool = False
    owns: bool = False
    whole: bool = False
    repeats: frozenset[Field] = frozenset()
    counted: bool = True


def saml_policy(*, integration_id: uuid.UUID, name: str, create: bool, update: bool, welcome_email: bool) -> Policy:
    """Return the policy of a sign-in: creates where the JIT box is ticked, never deactivates or revives anyone."""
    return Policy(
        Source.SAML,
        name,
        integration_id,
        create=create,
        update=update,
        welcome_email=welcome_email,
        identifies=True,
    )


def hand_policy(*, staff_name: str, welcome_email: bool) -> Policy:
    """Return the policy of an HR admin who edits by hand: everything, except fields that a directory owns."""
    return Policy(
        Source.HAND,
        staff_name,
        create=True,
        update=True,
        deactivate=True,
        reactivate=True,
        welcome_email=welcome_email,
        takes_leaver_email=True,
        whole=True,
    )


def scim_policy(
    *,
    integration_id: uuid.UUID,
    name: str,
    owns: bool,
    welcome_email: bool,
    whole: bool,
    repeats: frozenset[Field] = frozenset(),
) -> Policy:
    """Return the policy of a SCIM client: everything, in the fields that no other directory owns.

    `whole` is for changes of what the client has already; a person whom it names for the first time is linked all the
    same, for otherwise it could not take her out.
    """
    return Policy(
        Source.SCIM,
        name,
        integration_id,
        create=True,
        update=True,
        deactivate=True,
        reactivate=True,
        welcome_email=welcome_email,
        takes_leaver_email=True,
        creates_inactive=True,
        owns=owns,
        whole=whole,
        repeats=repeats,
    )


def feed_policy(source: Source, *, integration_id: uuid.UUID, name: str, owns: bool, welcome_email: bool) -> Policy:
    """Return the policy of a feed's run: everything, in the fields that no other directory owns.

    A row is never refused as a whole for a field that another directory owns. Who has left and was never here gets no
    account.
    """
    return Policy(
        source,
        name,
        integration_id,
        create=True,
        update=True,
        deactivate=True,
        reactivate=True,
        welcome_email=welcome_email,
        takes_leaver_email=True,
        owns=owns,
    )
