"""Tables for people, and files of what was measured, which scripts and documents read."""

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
LIBRARIES = ("Flask", "SQLAlchemy", "gunicorn", "lxml", "xmlsec", "python3-saml", "psycopg", "pydantic")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table that also reads well as plain text; columns of numbers are set right."""
    widths = [max(len(head), *(len(row[at]) for row in rows)) for at, head in enumerate(heads)]
    right = [all(row[at][:1].isdigit() or row[at] == "–" for row in rows) for at in range(len(heads))]
    lines = [
        "| "
        + " | ".join(cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True))
        + " |"
        for row in [heads, *rows]
    ]
    rule = "|".join("-" * (w + 1) + (":" if r else "-") for w, r in zip(widths, right, strict=True))
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def machine() -> dict[str, str]:
    """Return what the figures were measured on."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return {
        "Processor": f"{os.cpu_count()} cores, {model}",
        "System": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "Libraries": libraries,
    }


def keep(name: str, words: str, data: Any) -> None:
    """Print a result and keep it: `results/<name>.md` for documents, `.json` for whatever else reads it."""
    print(f"\n{words}", flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(words + "\n")
    (RESULTS / f"{name}.json").write_text(json.dumps({"machine": machine(), "measured": data}, indent=1) + "\n")


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
