"""How much of a file is read; what is larger is refused, whatever it claims of itself."""

from dataclasses import dataclass
from typing import Final

MEBI: Final = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Limits of one file.

    `file_bytes` as it arrived, `plain_bytes` after every layer was taken off it. A packed file that grows more than
    `ratio` times, once it is larger than `ratio_from` bytes, is a bomb. Lengths of lines and records are in characters:
    what is longer spoils its row. `wasted_characters`, on top of the file's own length, may be read again because a
    quote did not close. Cells have the csv module's own limit, 131 072 characters. Spreadsheets and OpenPGP messages
    are read by a process of its own, with `memory` bytes and `seconds` of work.
    """

    file_bytes: int = 2 << 30
    plain_bytes: int = 2 << 30
    ratio: int = 100
    ratio_from: int = 64 * MEBI
    archive_directory_bytes: int = MEBI
    columns: int = 500
    rows: int = 5_000_000
    line: int = MEBI
    record: int = MEBI
    batch: int = 8 * MEBI
    wasted_characters: int = 64 * MEBI
    memory: int = 2 << 30
    seconds: int = 600


LIMITS: Final = Limits()
