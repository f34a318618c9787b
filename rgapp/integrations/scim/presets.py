"""What we know of each SCIM client: the steps in its console, in its words, and where it keeps a payroll number."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from rgapp.integrations.scim.settings import ENTERPRISE_SCHEMA, PERSON_SCHEMA

EMPLOYEE_NUMBER: Final = f"{ENTERPRISE_SCHEMA}:employeeNumber"
DATE_OF_BIRTH: Final = f"{PERSON_SCHEMA}:dateOfBirth"


class OurValue(StrEnum):
    """A value of ours that somebody copies into the client's console."""

    BASE_URL = "base_url"
    BASE_URL_STANDARD = "base_url_standard"
    DATE_OF_BIRTH = "date_of_birth"
    EMPLOYEE_NUMBER = "employee_number"


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the client's console; `copy` is the value of ours that belongs in the field `their_field`."""

    text: str
    copy: OurValue | None = None
    their_field: str = ""


@dataclass(frozen=True, slots=True)
class ClientPreset:
    """One SCIM client as its administrators know it.

    `membership_no` is the attribute in which this client usually sends a payroll number; `credential_field` is what it
    calls the bearer token, `try_one` how it is made to send one person at once.
    """

    key: str
    name: str
    membership_no: str
    credential_field: str
    connecting: tuple[Step, ...]
    mapping: tuple[Step, ...]
    try_one: str
    first_cycle: str


ENTRA: Final = ClientPreset(
    key="entra-scim",
    name="Microsoft Entra ID",
    membership_no="externalId",
    credential_field="Secret Token",
    connecting=(
        Step("In the Microsoft Entra admin center, open Enterprise applications and choose New application."),
        Step("Choose Create your own application, give it a name, and keep “Integrate any other application”."),
        Step("Open Provisioning, then New configuration (in older tenants: Get started, mode Automatic)."),
        Step("Copy our base URL there.", OurValue.BASE_URL, "Tenant URL"),
        Step("Copy the bearer token that you issue here into Secret Token."),
        Step("Press Test Connection, then Create. The request it sends appears here under Testing."),
        Step(
            "If your Entra sends changes in its old form and something is refused, use this address in its place.",
            OurValue.BASE_URL_STANDARD,
            "Tenant URL, standard form",
        ),
    ),
    mapping=(
        Step("Open Provisioning, Attribute mapping, Provision Microsoft Entra ID Users."),
        Step(
            "Change the source of externalId from mailNickname to employeeId, or to where your payroll number is. "
            "Matching precedence can stay with userName."
        ),
        Step('Leave emails[type eq "work"].value, name.givenName, name.familyName and active as they are.'),
        Step(
            "For dates of birth: Show advanced options, Edit attribute list, add this name as a string, and map it.",
            OurValue.DATE_OF_BIRTH,
            "Name of the attribute",
        ),
        Step("Groups are optional. They become a filter on the Users page and give nobody access."),
    ),
    try_one="Open Provision on demand, choose one person, and press Provision.",
    first_cycle="Under Users and groups, assign the people who shall have an account. After publishing here, press "
    "Start provisioning. Entra then sends changes about every 40 minutes.",
)
OKTA: Final = ClientPreset(
    key="okta-scim",
    name="Okta",
    membership_no=EMPLOYEE_NUMBER,
    credential_field="Authorization",
    connecting=(
        Step("In the Okta Admin Console, open Applications and the app that people sign in with, or create one."),
        Step("On its General tab, edit App Settings and choose SCIM under Provisioning."),
        Step("On the Provisioning tab, open Integration and press Edit."),
        Step("Copy our base URL there.", OurValue.BASE_URL, "SCIM connector base URL"),
        Step("Enter userName as Unique identifier field for users."),
        Step("Tick Push New Users and Push Profile Updates; Push Groups if groups shall filter the Users page."),
        Step("Choose HTTP Header as Authentication Mode, and copy the bearer token into Authorization."),
        Step("Press Test Connector Configuration, then Save. Its requests appear here under Testing."),
    ),
    mapping=(
        Step(
            "On the Provisioning tab, open To App, press Edit, and enable Create Users, Update User Attributes and "
            "Deactivate Users."
        ),
        Step(
            "Okta sends its own user id as externalId. The payroll number usually is Employee number; it arrives as:",
            OurValue.EMPLOYEE_NUMBER,
            "Employee number",
        ),
        Step("Map First name, Last name and Primary email; they are by default."),
        Step(
            "For dates of birth: in the Profile Editor, add a string attribute. Its external name is the last part of "
            "this, its external namespace what stands before it.",
            OurValue.DATE_OF_BIRTH,
            "Date of birth",
        ),
    ),
    try_one="On the Assignments tab, assign one person.",
    first_cycle="Assign people or groups on the Assignments tab. Okta sends each change at once.",
)
OTHER: Final = ClientPreset(
    key="scim",
    name="your SCIM client",
    membership_no="externalId",
    credential_field="Bearer token",
    connecting=(
        Step("Find the settings for provisioning or SCIM 2.0."),
        Step("Copy our base URL there.", OurValue.BASE_URL, "Base URL"),
        Step("Choose a bearer token (HTTP header Authorization) and copy the token that you issue here."),
        Step("Test the connection. The request it sends appears here under Testing."),
    ),
    mapping=(
        Step("Have the client send externalId or an employee number, userName, the primary e-mail, names and active."),
        Step("The employee number of the enterprise extension is:", OurValue.EMPLOYEE_NUMBER, "Employee number"),
        Step("Dates of birth are read from our own extension:", OurValue.DATE_OF_BIRTH, "Date of birth"),
        Step("What the client may send is described under /Schemas and /ServiceProviderConfig of the base URL."),
    ),
    try_one="Have the client send one person.",
    first_cycle="Switch provisioning on in the client. Whom it assigns to this connection gets an account.",
)

#: In the order in which the catalogue shows them.
PRESETS: Final[Mapping[str, ClientPreset]] = MappingProxyType({one.key: one for one in (ENTRA, OKTA, OTHER)})


def our_values(base_url: str) -> dict[OurValue, str]:
    """Return our values by what they are."""
    return {
        OurValue.BASE_URL: base_url,
        # Entra's own flag: with it, PATCH follows RFC 7644 to the letter.
        OurValue.BASE_URL_STANDARD: f"{base_url}/?aadOptscim062020",
        OurValue.DATE_OF_BIRTH: DATE_OF_BIRTH,
        OurValue.EMPLOYEE_NUMBER: EMPLOYEE_NUMBER,
    }
