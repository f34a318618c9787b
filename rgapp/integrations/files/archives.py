"""Take a table out of a .zip or .gz, whatever the archive claims about itself."""

import errno
import gzip
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from rgapp.integrations.files.errors import Reason, UnreadableFile
from rgapp.integrations.files.limits import Limits
from rgapp.integrations.files.names import FORMS, LAYERS, LONGEST_SHOWN, Form, ending_of

CHUNK: Final = 1 << 20
MOST_NAMES_SHOWN: Final = 5
_END: Final = b"PK\x05\x06"
_END_64: Final = b"PK\x06\x06"
_LOCATOR_64: Final = b"PK\x06\x07"
# Old programs for Windows write names with its own separator.
_SEPARATORS: Final = re.compile(r"[/\\]")
_ROOTED: Final = re.compile(r"[/\\]|[A-Za-z]:")
# What broken and hostile archives make the readers raise.
BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    OverflowError,
    IndexError,
)


def gunzip(path: Path, target: Path, limits: Limits) -> None:
    """Unpack a .gz into a new file.

    Raises `UnreadableFile`.
    """
    try:
        with gzip.open(path, "rb") as source:
            _copy(source, target, limits, path.stat().st_size)
    except BROKEN as error:
        raise _verdict(error) from error


def unzip(path: Path, target: Path, limits: Limits) -> Form:
    """Unpack the one table of a .zip into a new file and return what kind it is.

    Raises `UnreadableFile`.
    """
    try:
        check_directory(path, limits)
        with zipfile.ZipFile(path) as archive:
            member, form = _only_table(archive)
            with archive.open(member) as source:
                _copy(source, target, limits, max(1, member.compress_size))
    except BROKEN as error:
        raise _verdict(error) from error
    return form


def check_members(path: Path, limits: Limits, look: Callable[[str, bytes], None]) -> None:
    """Unpack every member of a .zip to nowhere: sizes and checksums hold, and `look` sees each piece of each.

    Raises `UnreadableFile`.
    """
    try:
        check_directory(path, limits)
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            grown = 0
            for member in archive.infolist():
                _check_packing(member)
                with archive.open(member) as source:
                    while piece := source.read(CHUNK):
                        grown += len(piece)
                        check_growth(grown, size, limits)
                        look(member.filename, piece)
    except BROKEN as error:
        raise _verdict(error) from error


def _verdict(error: Exception) -> Exception:
    """Return what is said of an archive; that our disk is full is nothing that is wrong with it."""
    ours = isinstance(error, OSError) and error.errno not in {None, errno.EINVAL}
    return error if ours or isinstance(error, UnreadableFile) else UnreadableFile(Reason.DAMAGED_ARCHIVE)


def check_growth(grown: int, packed: int, limits: Limits) -> None:
    """Accept how large something has become that was packed.

    Raises `UnreadableFile`.
    """
    if grown > limits.plain_bytes:
        raise UnreadableFile(Reason.TOO_LARGE_UNPACKED, limit=limits.plain_bytes)
    if grown > limits.ratio_from and grown > packed * limits.ratio:
        raise UnreadableFile(Reason.BOMB, ratio=limits.ratio)


def check_directory(path: Path, limits: Limits) -> None:
    """Refuse an archive whose directory alone would fill the memory; the zipfile module reads all of it at once.

    Raises `UnreadableFile`.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        start = max(0, size - (1 << 16) - 22)
        file.seek(start)
        tail = file.read()
        at = tail.rfind(_END)
        if at < 0 or len(tail) - at < 22:
            raise UnreadableFile(Reason.DAMAGED_ARCHIVE)
        directory = int.from_bytes(tail[at + 12 : at + 16], "little")
        if tail[max(0, at - 20) : at].startswith(_LOCATOR_64):
            file.seek(max(0, start + at - 76))
            record = file.read(56)
            if record.startswith(_END_64):
                directory = int.from_bytes(record[40:48], "little")
    if directory > limits.archive_directory_bytes:
        raise UnreadableFile(Reason.BOMB, ratio=limits.ratio)


def _only_table(archive: zipfile.ZipFile) -> tuple[zipfile.ZipInfo, Form]:
    members = [member for member in archive.infolist() if not member.is_dir() and not _is_litter(member.filename)]
    for member in members:
        if _is_unsafe(member.filename):
            raise UnreadableFile(Reason.UNSAFE_NAME, name=member.filename[:LONGEST_SHOWN])
        if ending_of(member.filename) in LAYERS:
            raise UnreadableFile(Reason.NESTED, name=member.filename[:LONGEST_SHOWN])
    tables = [member for member in members if ending_of(member.filename) in FORMS]
    if not tables:
        raise UnreadableFile(Reason.EMPTY_ARCHIVE, names=_shown(members))
    if len(tables) > 1:
        raise UnreadableFile(Reason.SEVERAL_FILES, names=_shown(tables))
    _check_packing(tables[0])
    return tables[0], FORMS[ending_of(tables[0].filename)]


def _check_packing(member: zipfile.ZipInfo) -> None:
    """Accept a member that is stored or deflated; other ways may ask for any amount of memory to be unpacked.

    Raises `UnreadableFile`.
    """
    if member.flag_bits & 1:
        raise UnreadableFile(Reason.PASSWORD)
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise UnreadableFile(Reason.OTHER_COMPRESSION)


def _shown(members: list[zipfile.ZipInfo]) -> list[str]:
    return [member.filename[:LONGEST_SHOWN] for member in members[:MOST_NAMES_SHOWN]]


def _is_litter(name: str) -> bool:
    """Tell whether a member is what file managers leave behind in archives."""
    parts = _SEPARATORS.split(name)
    return "__MACOSX" in parts or (parts[-1].startswith(".") and ".." not in parts) or parts[-1] == "Thumbs.db"


def _is_unsafe(name: str) -> bool:
    """Tell whether a member's name leads out of the archive; nothing is ever written under it, but its maker tried."""
    return ".." in _SEPARATORS.split(name) or _ROOTED.match(name) is not None or not name.isprintable()


def _copy(source: IO[bytes] | gzip.GzipFile, target: Path, limits: Limits, packed: int) -> None:
    grown = 0
    with target.open("xb") as file:
        while piece := source.read(CHUNK):
            grown += len(piece)
            check_growth(grown, packed, limits)
            file.write(piece)
