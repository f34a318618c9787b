"""Turn what an assertion says into provisioning's source record."""

from collections.abc import Sequence
from datetime import date

from rgapp.integrations.saml.settings import NAME_ID, InboundSAMLSettings
from rgapp.integrations.saml.verdict import UntrustedContents, VerifiedAssertion
from rgapp.provisioning.mapping import read_record
from rgapp.provisioning.record import Reading, SourceRecord


def read_assertion(
    assertion: VerifiedAssertion | UntrustedContents, settings: InboundSAMLSettings, *, today: date
) -> Reading:
    """Read our fields from an assertion; of untrusted contents the reading is for display only.

    Attributes are found by their Name, exactly: FriendlyName is decoration (SAML core 2.7.3.1).
    """
    values: dict[str, Sequence[str]] = dict(assertion.attributes)
    if assertion.name_id:
        values[NAME_ID] = [assertion.name_id]
    position = assertion.assertion_id if isinstance(assertion, VerifiedAssertion) else ""
    return read_record(SourceRecord(position, values), settings.rules, today=today)
