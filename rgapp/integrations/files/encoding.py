"""In which encoding a text file is written: decided by all of its bytes, so that one bad byte spoils one row only."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rgapp.integrations.files.errors import Reason, UnreadableFile

CHUNK: Final = 1 << 20
HEAD: Final = 1 << 16
# Of so many bytes that are no UTF-8 one sequence that is: by chance, in a file of Windows-1252.
CHANCE: Final = 20
_ESCAPED: Final = re.compile("[\udc80-\udcff]")
_UNDEFINED_1252: Final = b"\x81\x8d\x8f\x90\x9d"
# Bytes that hardly any name in Windows-1252 has, and that are usual where UTF-8 was cut or is broken.
_UNLIKELY: Final = re.compile(
    "[\udc81-\udc84\udc86-\udc89\udc8b\udc8d\udc8f\udc90\udc98\udc9b\udc9d\udcc2\udcc3\udcd7\udcf7\udcff]"
)
# Files of other formats under the name of a text file, told by how they begin.
BEGINNINGS: Final = {
    b"PK\x03\x04": "zip",
    b"\x1f\x8b\x08": "gzip",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "xls",
    b"%PDF-": "pdf",
    b"-----BEGIN PGP": "openpgp",
    b"{\\rtf": "rtf",
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpeg",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
}


def _spoiled(error: UnicodeError) -> tuple[str, int]:
    """Put one mark where bytes of UTF-16 cannot be read."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error("rgapp-spoiled", _spoiled)


@dataclass(frozen=True)
class Encoding:
    """How bytes become text: the codec, how errors are marked, how many bytes come before the text.

    What cannot be read becomes a lone surrogate, which no text holds. Only where `spoiled` has to be looked for one.
    """

    codec: str
    errors: str = "surrogateescape"
    skip: int = 0
    spoiled: bool = False

    def decoder(self) -> codecs.IncrementalDecoder:
        """Return a decoder that begins after the byte order mark."""
        return codecs.getincrementaldecoder(self.codec)(self.errors)


def detect(path: Path) -> Encoding:
    """Return the encoding of a text file.

    Raises `UnreadableFile` where it begins like a file of another format.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        for beginning, name in BEGINNINGS.items():
            if head.startswith(beginning):
                raise UnreadableFile(Reason.OTHER_CONTENT, looks_like=name)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            codec = "utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
            return Encoding(codec, "rgapp-spoiled", 2, spoiled=True)
        if unmarked := _unmarked_utf16(head):
            return Encoding(unmarked, "rgapp-spoiled", spoiled=True)
        file.seek(0)
        marked = head.startswith(codecs.BOM_UTF8)
        valid = invalid = unlikely = undefined = 0
        nul = False
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        while chunk := file.read(CHUNK):
            nul = nul or b"\0" in chunk
            if chunk.isascii() and decoder.getstate()[0] == b"":
                continue
            text = decoder.decode(chunk)
            valid += max(0, len(chunk) - len(text))
            invalid += _ESCAPED.subn("", text)[1]
            unlikely += _UNLIKELY.subn("", text)[1]
            undefined += len(chunk) - len(chunk.translate(None, _UNDEFINED_1252))
        invalid += len(decoder.decode(b"", final=True))
    if marked:
        return Encoding("utf-8", skip=3, spoiled=bool(invalid or nul))
    if invalid > valid * CHANCE and unlikely * 2 <= invalid:
        return Encoding("cp1252", spoiled=bool(undefined or nul))
    return Encoding("utf-8", spoiled=bool(invalid or nul))


def _unmarked_utf16(head: bytes) -> str | None:
    """Return UTF-16 without a mark where it is unmistakable: every second byte of most characters is zero."""
    pairs = len(head) // 2
    if pairs < 4:
        return None
    first, second = head[: pairs * 2 : 2].count(0), head[1 : pairs * 2 : 2].count(0)
    if second > pairs * 0.6 and first < pairs * 0.02:
        return "utf-16-le"
    if first > pairs * 0.6 and second < pairs * 0.02:
        return "utf-16-be"
    return None
