"""What an admin decides about one JSON report, as drafts and versions keep it; secrets are kept elsewhere."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

from rgapp.integrations.pulls.settings import PullSettings

URL_LENGTH = 1000
PATH_LENGTH = 200


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
        plain = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username and not parts.password
    except ValueError:
        plain = False
    if not plain:
        raise ValueError("This is a whole address that begins with https://, without a password in it.")
    return value


class JSONReportSettings(PullSettings):
    """Everything an admin decides about one JSON report.

    `list` is the path to the list of people in the answer; empty where the answer itself is the list. Their fields are
    the keys of each entry.
    """

    url: Annotated[str, StringConstraints(strip_whitespace=True, max_length=URL_LENGTH), AfterValidator(_address)]
    list: Annotated[str, StringConstraints(strip_whitespace=True, max_length=PATH_LENGTH)] = ""
