"""Open an uploaded file as a table: take every layer off it that its name promises, then read what is inside."""

from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from rgapp.integrations.files import archives, openpgp
from rgapp.integrations.files.delimited import DelimitedTable
from rgapp.integrations.files.errors import Reason, UnreadableFile
from rgapp.integrations.files.limits import LIMITS, Limits
from rgapp.integrations.files.names import Form, Layer, NamedContent, read_name
from rgapp.integrations.files.openpgp import PrivateKey
from rgapp.integrations.files.sheet import SheetTable
from rgapp.integrations.files.table import Table

_ZIP: Final = b"PK\x03\x04"
_GZIP: Final = b"\x1f\x8b"
_SPREADSHEET_MEMBER: Final = b"[Content_Types].xml"


def open_table(path: Path, name: str, folder: Path, *, key: PrivateKey | None = None, limits: Limits = LIMITS) -> Table:
    """Open the file at `path`, which its sender called `name`.

    What has to be unpacked is written into a new folder in `folder`, a private place; whoever made that deletes it when
    the table is no longer read. Nothing there is named by the sender. Of an earlier try that was cut off, a program may
    still be writing: it does so in the folder of its own.

    Raises `UnreadableFile`, and `OSError` where the file cannot be read or the disk is full.
    """
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise UnreadableFile(Reason.TOO_LARGE, limit=limits.file_bytes, size=size)
    named = read_name(name)
    folder = Path(mkdtemp(prefix="opened-", dir=folder))
    form = named.form
    for number, layer in enumerate(named.layers):
        taken, form = _take_off(layer, path, folder / f"plain-{number}", form, key, limits)
        if number:
            path.unlink()
        path = taken
    if form is None:
        form, path = _look_inside(path, folder, named, limits)
    if form is Form.XLSX:
        return SheetTable(path, folder / "rows", limits)
    return DelimitedTable(path, preferred="\t" if named.ending == ".tsv" else None, limits=limits)


def _take_off(
    layer: Layer, path: Path, target: Path, form: Form | None, key: PrivateKey | None, limits: Limits
) -> tuple[Path, Form | None]:
    """Take one layer off; return the new file, and which table it is as far as that is known."""
    if layer is Layer.ZIP:
        return target, archives.unzip(path, target, limits)
    if layer is Layer.GZIP:
        archives.gunzip(path, target, limits)
    else:
        openpgp.decrypt(path, target, key, limits)
    return target, form


def _look_inside(path: Path, folder: Path, named: NamedContent, limits: Limits) -> tuple[Form, Path]:
    """Return what a file is whose name had no other ending than that of its layer ("people.gpg")."""
    with path.open("rb") as file:
        beginning = file.read(512)
    if beginning.startswith(_ZIP):
        # Spreadsheets are archives too; programs that write them put the list of types first.
        if _SPREADSHEET_MEMBER in beginning:
            return Form.XLSX, path
        if named.layers[-1] is not Layer.OPENPGP:
            raise UnreadableFile(Reason.NESTED)
        target = folder / "plain-inside"
        return archives.unzip(path, target, limits), target
    if beginning.startswith(_GZIP) and named.layers[-1] is Layer.OPENPGP:
        target = folder / "plain-inside"
        archives.gunzip(path, target, limits)
        return Form.TEXT, target
    return Form.TEXT, path
