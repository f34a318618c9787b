"""What an admin decides about one BambooHR integration, as drafts and versions keep it; secrets are kept elsewhere."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, StringConstraints

from rgapp.integrations.base import Strict
from rgapp.integrations.pulls.settings import PullSettings

MOST_VALUES: Final = 200
VALUE_LENGTH: Final = 200
#: What a sub-domain may be (RFC 1123 section 2.1): one label of a host name.
SUBDOMAIN: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
DEFAULT_MAPPING: Final[dict[str, Any]] = {
    "membership_no": {"field": "employeeNumber"},
    "email": {"field": "workEmail", "otherwise": "homeEmail"},
    "first_name": {"field": "firstName"},
    "last_name": {"field": "lastName"},
    "date_of_birth": {"field": "dateOfBirth", "format": "%Y-%m-%d"},
}


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) > MOST_VALUES:
        raise ValueError(f"At most {MOST_VALUES} values can be named.")
    return tuple(dict.fromkeys(values))


Value = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=VALUE_LENGTH)]
Values = Annotated[tuple[Value, ...], AfterValidator(_distinct)]


class Filters(Strict):
    """Who is taken: people who have one of the values in each list; an empty one takes everybody."""

    status: Values = ()
    employment_type: Values = ()
    country: Values = ()
    department: Values = ()


class BambooSettings(PullSettings):
    """Everything an admin decides about one BambooHR integration.

    `base_url` stands in for BambooHR's own address, where the operator has named that origin.
    """

    subdomain: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=f"^{SUBDOMAIN}$")]
    base_url: str | None = None
    filters: Filters = Filters()

    @property
    def origin(self) -> str:
        """Return where BambooHR is asked."""
        return (self.base_url or f"https://{self.subdomain}.bamboohr.com").rstrip("/")
