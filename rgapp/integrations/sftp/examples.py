"""The example file of a set-up: kept whole beside the spool for the preview, with what its first rows showed."""

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from rgapp.integrations.files.opening import open_table
from rgapp.integrations.files.openpgp import PrivateKey
from rgapp.integrations.files.table import Cell, Layout, Unreadable
from rgapp.integrations.sftp.columns import Sample, take_sample
from rgapp.integrations.sftp.spool import Entry, Folder
from rgapp.models.base import new_id

NAME_LENGTH: Final = 200
#: What of a cell is kept for the pages; the file itself stays as it is.
CELL_LENGTH: Final = 500
FILE, SHOWN = ".file", ".json"


@dataclass(frozen=True)
class Example:
    """An example file: its id, its sender's name for it, where it is, its size, when it came and how."""

    id: uuid.UUID
    name: str
    path: Path
    size_bytes: int
    taken_at: datetime
    uploaded: bool
    sample: Sample


def folder_of(spool: Path, username: str) -> Path:
    """Return the private folder of an account's example; the server neither lists it nor makes runs of it."""
    return Folder(spool, username).base / "example"


def keep(
    folder: Path, name: str, bring: Callable[[Path], None], *, key: PrivateKey | None, uploaded: bool, now: datetime
) -> Example:
    """Keep a file as the example, in place of the one before; `bring` puts it at the path it is given.

    Raises `UnreadableFile`; the example before then stays.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    example_id, name = new_id(), plain_name(name)
    path = folder / f"{example_id.hex}{FILE}"
    try:
        bring(path)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            sample = take_sample(open_table(path, name, Path(work), key=key))
        said = {"name": name, "taken_at": now.isoformat(), "uploaded": uploaded, "sample": _written(sample)}
        draft = folder / f".{example_id.hex}"
        draft.write_text(json.dumps(said))
        draft.chmod(0o600)
        draft.rename(folder / f"{example_id.hex}{SHOWN}")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    _delete_but(folder, example_id)
    return Example(example_id, name, path, path.stat().st_size, now, uploaded, sample)


def current(folder: Path) -> Example | None:
    """Return the newest example, None where there is none."""
    for shown in sorted(folder.glob(f"*{SHOWN}"), reverse=True):
        path = shown.with_suffix(FILE)
        with suppress(FileNotFoundError, ValueError, KeyError):
            said = json.loads(shown.read_text())
            return Example(
                uuid.UUID(hex=shown.stem),
                said["name"],
                path,
                path.stat().st_size,
                datetime.fromisoformat(said["taken_at"]),
                said["uploaded"],
                _read(said["sample"]),
            )
    return None


def last_upload(spool: Path, username: str) -> Entry | None:
    """Return the newest finished file of an account, None where there is none any more."""
    return max(Folder(spool, username).received_files(), key=lambda entry: entry.id, default=None)


def link_or_copy(source: Path) -> Callable[[Path], None]:
    """Return what brings a file of the spool, which nobody writes to any more, without copying it where possible."""

    def bring(target: Path) -> None:
        try:
            os.link(source, target)
        except FileNotFoundError:
            raise
        except OSError:
            shutil.copyfile(source, target)

    return bring


def forget(folder: Path) -> None:
    """Delete the example with all that it showed."""
    shutil.rmtree(folder, ignore_errors=True)


def forget_old(folder: Path, *, before: datetime) -> bool:
    """Delete an example that was taken before a time; tells whether there was one."""
    old = [shown for shown in folder.glob(f"*{SHOWN}") if shown.stat().st_mtime < before.timestamp()]
    if old:
        forget(folder)
    return bool(old)


def plain_name(name: str) -> str:
    """Return a name without folders and without what cannot be shown; its ending, which says what it is, stays."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(letter for letter in last if letter.isprintable()).strip()
    return shown[-NAME_LENGTH:]


def _delete_but(folder: Path, example_id: uuid.UUID) -> None:
    for found in folder.iterdir():
        if not found.name.removeprefix(".").startswith(example_id.hex) and found.is_file():
            found.unlink(missing_ok=True)


def _written(sample: Sample) -> dict[str, Any]:
    layout = sample.layout
    return {
        "header": layout.header,
        "header_row": layout.header_row,
        "width": layout.width,
        "typed": layout.typed,
        "details": dict(layout.details),
        "rows": sample.rows,
        "columns": [[_cell_written(cell) for cell in column] for column in sample.columns],
    }


def _read(said: dict[str, Any]) -> Sample:
    layout = Layout(tuple(said["header"]), said["header_row"], said["width"], said["typed"], said["details"])
    return Sample(layout, said["rows"], [[_cell_read(cell) for cell in column] for column in said["columns"]])


def _cell_written(cell: Cell) -> Any:
    if isinstance(cell, date):
        return {"date": cell.isoformat()}
    if isinstance(cell, Unreadable):
        return {"unreadable": str(cell)[:CELL_LENGTH]}
    return str(cell)[:CELL_LENGTH].encode("utf-8", "replace").decode()


def _cell_read(said: Any) -> Cell:
    if not isinstance(said, dict):
        return str(said)
    if "date" in said:
        return date.fromisoformat(said["date"])
    return Unreadable(said["unreadable"])
