"""The validator: examines one SAML response (core 3.3.3, profiles 4.1.4) and says what it found."""

from collections.abc import Sequence
from datetime import datetime

from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.verdict import ExpectedRequest, Mode, Verdict


def examine(
    saml_response: str | None,
    connection: Connection,
    *,
    request: ExpectedRequest | None,
    now: datetime,
    mode: Mode = Mode.SIGN_IN,
    arrived_parameters: Sequence[str] = (),
) -> Verdict:
    """Examine the form field with the response and return the verdict; never raises, whatever arrives.

    `request` is the one-use record that RelayState led to, None for an unsolicited response. `arrived_parameters`
    are the names of the form's fields, for the message when the right one is missing.
    """
    raise NotImplementedError
