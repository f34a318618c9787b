"""Bring the kept results into docs/performance.md, each between its markers."""

import json
import re
from pathlib import Path

from benchmarks.report import RESULTS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
MARKED = re.compile(r"(<!-- measured: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def write() -> str:
    """Replace what stands between the markers by the latest results; returns the page's name."""
    PAGE.write_text(MARKED.sub(_latest, PAGE.read_text()))
    return PAGE.name


def _latest(found: re.Match[str]) -> str:
    """Return a marked part with its latest result, as it was where there is none."""
    name = found["name"]
    if name == "machine":
        kept = sorted(RESULTS.glob("*.json"), key=lambda file: file.stat().st_mtime)
        if not kept:
            return found[0]
        facts = json.loads(kept[-1].read_text())["machine"]
        words = "\n".join(f"- {what}: {value}" for what, value in facts.items())
    else:
        file = RESULTS / f"{name}.md"
        if not file.is_file():
            return found[0]
        words = file.read_text().rstrip()
    return f"{found[1]}\n{words}\n\n{found[3]}"


if __name__ == "__main__":
    print(write())
