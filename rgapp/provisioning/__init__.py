"""Provisioning: map, validate, match and write; the only code that creates, changes or deactivates a user.

It knows no Flask, no protocol and no file format. Services flush; the caller commits.
"""

from rgapp.provisioning.changing import let_go
from rgapp.provisioning.leaving import deactivate, reactivate
from rgapp.provisioning.mapping import FieldRule, Rules, read_record
from rgapp.provisioning.policy import Policy, Source, feed_policy, hand_policy, saml_policy, scim_policy
from rgapp.provisioning.record import (
    UNSET,
    Change,
    Field,
    FieldReading,
    Outcome,
    OutcomeKind,
    PersonRecord,
    Problem,
    ProblemCode,
    Reading,
    Refusal,
    SourceRecord,
)
from rgapp.provisioning.service import ProvisioningConflict, preview, provision, unlink

__all__ = [
    "UNSET",
    "Change",
    "Field",
    "FieldReading",
    "FieldRule",
    "Outcome",
    "OutcomeKind",
    "PersonRecord",
    "Policy",
    "Problem",
    "ProblemCode",
    "ProvisioningConflict",
    "Reading",
    "Refusal",
    "Rules",
    "Source",
    "SourceRecord",
    "deactivate",
    "feed_policy",
    "hand_policy",
    "let_go",
    "preview",
    "provision",
    "reactivate",
    "read_record",
    "saml_policy",
    "scim_policy",
    "unlink",
]
