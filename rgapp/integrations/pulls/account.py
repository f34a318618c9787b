"""What the set-up asks the other side of a pull: whether we get in, which fields there are, and a few real people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from rgapp.integrations.pulls.settings import FIELD_LENGTH
from rgapp.integrations.sync.work import shown

#: Nobody chooses from more fields than these.
MOST_FIELDS: Final = 2_000


@dataclass(frozen=True)
class AccountField:
    """One field that the other side has: the name by which it is asked for, what people call it, and its type."""

    name: str
    label: str
    type: str = ""


def offered(fields: Iterable[AccountField]) -> list[AccountField]:
    """Return the fields that can be mapped, with labels that can be shown, whatever the other side calls them."""
    usable = (each for each in fields if len(each.name) <= FIELD_LENGTH and each.name == shown(each.name))
    return [AccountField(each.name, shown(each.label), shown(each.type)) for each in islice(usable, MOST_FIELDS)]


class AccountError(RuntimeError):
    """The other side cannot be read: a code in snake_case, and a sentence in plain words for whoever set it up."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code)
        self.code = code
        self.sentence = sentence


class Account(Protocol):
    """The other side, opened with the access of one integration; each call is bounded in time."""

    def close(self) -> None:
        """Let go of the connection."""

    def check(self) -> None:
        """Make sure that we get in and may read people.

        Raises `AccountError`.
        """

    def fields(self) -> Sequence[AccountField]:
        """Return the fields there are.

        Raises `AccountError`.
        """

    def people(self, fields: Sequence[str], *, most: int) -> Sequence[Mapping[str, str]]:
        """Return these fields of a few people; a field that is hidden or empty is left out.

        Raises `AccountError`.
        """
