"""Under which address clients find the SFTP server: what the operator says, else where it really listens."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def port_file(folder: Path) -> Path:
    """Return the file into which the server writes its port while it runs."""
    return folder / "port"


def shown(config: Mapping[str, Any]) -> tuple[str, int]:
    """Return host and port for clients; read anew each time, for the server may start after whoever asks."""
    port: int = config["SFTP_SHOWN_PORT"] or _real(Path(config["SFTP_FOLDER"])) or config["SFTP_PORT"]
    return config["SFTP_SHOWN_HOST"], port


def _real(folder: Path) -> int | None:
    try:
        text = port_file(folder).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
