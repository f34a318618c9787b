"""How much the server gives to one client, one address, one account and to all."""

from dataclasses import dataclass
from typing import Final

# Connections that have not signed in yet: by address, and in all. One too many takes the place of the oldest that
# failed a password, so that nobody's guesses keep a right key out.
MOST_STRANGERS_OF_ADDRESS: Final = 100
MOST_STRANGERS: Final = 400
MOST_CONNECTIONS: Final = 1_000
MOST_CONNECTIONS_OF_ACCOUNT: Final = 100
MOST_SESSIONS_OF_CONNECTION: Final = 10
MOST_HANDLES_OF_SESSION: Final = 64
MOST_WRONG_PASSWORDS_OF_CONNECTION: Final = 6
MOST_KEYS_TRIED_OF_CONNECTION: Final = 60
SIGN_IN_SECONDS: Final = 60
IDLE_SECONDS: Final = 15 * 60
# A peer that vanished without a word is noticed after this long.
ALIVE_EVERY_SECONDS: Final = 30
ALIVE_TRIES: Final = 3
# How long SIGTERM waits for uploads that are under way.
STOP_SECONDS: Final = 8.0
HALF_FILES_KEPT_SECONDS: Final = 24 * 3600


@dataclass(frozen=True)
class Quota:
    """What an account may keep: bytes in one file, files in its root, and bytes in all its files.

    The last one counts also what is not listed: what a cut connection left, and files that are kept after their run.
    """

    file_bytes: int
    files: int
    total_bytes: int

    @property
    def settled_bytes(self) -> int:
        """Return how much of that the files of runs that are over may take, so that new ones find room."""
        return self.total_bytes // 2
