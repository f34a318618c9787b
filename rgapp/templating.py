"""What templates share: strict names, filters for times, dates and counts, inline icons, addresses of assets."""

import hashlib
import re
import unicodedata
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g, url_for
from jinja2 import StrictUndefined
from markupsafe import Markup

from rgapp.clock import utcnow

MINUTE, HOUR, DAY = 60, 3600, 86400
# Older than this, "97 days ago" says less than the date itself.
RELATIVE_DAYS = 30
_SYMBOL = re.compile(r'<symbol[^>]*?viewBox="([^"]+)"[^>]*?id="([^"]+)"[^>]*>(.*?)</symbol>', re.DOTALL)


def init_app(app: Flask) -> None:
    """Register the filters and globals on the application; a template that names what nobody gave it fails."""
    environment = app.jinja_env
    environment.undefined = StrictUndefined
    environment.add_extension("jinja2.ext.do")
    environment.trim_blocks = True
    environment.lstrip_blocks = True
    environment.filters.update(
        relative_time=relative_time,
        exact_time=exact_time,
        iso_time=iso_time,
        long_date=long_date,
        day_and_month=day_and_month,
        number=number,
        counted=counted,
        clip=clip,
        monogram=monogram,
        dom_id=dom_id,
    )
    environment.globals.update(icon=icon, asset=asset)


def relative_time(value: datetime, now: datetime | None = None, tz: tzinfo | str | None = None) -> str:
    """Say how long ago or how far ahead `value` is: "3 minutes ago", "in 12 days"; the date beyond 30 days."""
    seconds = (value - (now or utcnow())).total_seconds()
    size = abs(seconds)
    if size < 45:
        return "just now"
    if size >= RELATIVE_DAYS * DAY:
        return long_date(value.astimezone(_zone(tz)).date())
    unit, name = (DAY, "day") if size >= DAY else (HOUR, "hour") if size >= HOUR else (MINUTE, "minute")
    phrase = counted(max(1, int(size // unit)), name)
    return f"in {phrase}" if seconds > 0 else f"{phrase} ago"


def exact_time(value: datetime, tz: tzinfo | str | None = None) -> str:
    """Write an instant in full in the given zone (default: `g.zone`, else UTC): "3 May 2026, 14:05:09 BST"."""
    local = value.astimezone(_zone(tz))
    return f"{long_date(local.date())}, {local:%H:%M:%S} {local:%Z}"


def iso_time(value: datetime) -> str:
    """Write an instant for the `datetime` attribute of `<time>`, in UTC."""
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def long_date(value: date) -> str:
    """Write a date so that day and month cannot be confused: "3 April 1990"."""
    return f"{value.day} {value:%B} {value.year}"


def day_and_month(value: date) -> str:
    """Write a date of this year or the last in short: "3 May"."""
    return f"{value.day} {value:%B}" if len(f"{value:%B}") <= 4 else f"{value.day} {value:%b}"


def number(value: int) -> str:
    """Write a count with separators: 12,480."""
    return f"{value:,}"


def counted(value: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun in the right form: "1 person", "3 people"."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def clip(text: str, limit: int) -> str:
    """Shorten `text` to at most `limit` characters, at a word where there is one, and show that it was."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    words = head.rsplit(" ", 1)[0]
    return (words if len(words) > limit // 2 else head).rstrip(" ,.;:") + "…"


def monogram(name: str) -> str:
    """Return one or two letters that stand for a name: "Google Workspace" gives "GW", "Okta" gives "Ok"."""
    words: list[str] = re.findall(r"\w+", name)
    if not words:
        return "?"
    return (words[0][0] + words[1][0]).upper() if len(words) > 1 else words[0][:2].capitalize()


def dom_id(text: str) -> str:
    """Return `text` as something that can be an element's id."""
    plain = unicodedata.normalize("NFKD", str(text)).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return slug or "x" + hashlib.sha256(str(text).encode()).hexdigest()[:8]


def icon(name: str, label: str = "", class_: str = "") -> Markup:
    """Return one Bootstrap icon as inline SVG, so that no page loads the whole sprite of a megabyte.

    Without a `label` it is decoration and hidden from screen readers. Raises `KeyError` for a name that is not there.
    """
    view_box, drawing = _sprite()[name]
    accessible = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    template = (
        '<svg class="icon{}" viewBox="{}" width="16" height="16" fill="currentColor" focusable="false" {}>{}</svg>'
    )
    # The drawing comes from the installed package's own sprite, never from input: hence both exceptions.
    drawn = Markup(drawing)  # noqa: S704  # nosec B704
    return Markup(template).format(f" {class_}" if class_ else "", view_box, accessible, drawn)  # noqa: S704  # nosec B704


def asset(filename: str) -> str:
    """Return the address of a static file, with a digest of its content so that browsers may keep it for long."""
    folder = current_app.static_folder or ""
    path = Path(folder) / filename
    return url_for("static", filename=filename, v=_digest(str(path), path.stat().st_mtime_ns))


@lru_cache(maxsize=1)
def _sprite() -> dict[str, tuple[str, str]]:
    source = files("flask_bootstrap") / "static" / "bootstrap5" / "icons" / "bootstrap-icons.svg"
    return {key: (box, drawing.strip()) for box, key, drawing in _SYMBOL.findall(source.read_text("utf-8"))}


@lru_cache(maxsize=64)
def _digest(path: str, _changed: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def _zone(tz: tzinfo | str | None) -> tzinfo:
    chosen = tz or g.get("zone")
    return ZoneInfo(chosen) if isinstance(chosen, str) else chosen or UTC
