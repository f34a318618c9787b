"""Where a request may be sent on to: paths of this site only, whatever somebody typed or signed."""

from urllib.parse import unquote, urlsplit

LONGEST = 2000


def safe_next(value: str | None) -> str:
    """Return a path of this site, with its query, or an empty string for anything else.

    Refused are other schemes and hosts, protocol-relative addresses (`//host`), backslashes, which browsers read as
    slashes, control characters and spaces, also behind percent signs, and paths that climb.
    """
    if not value or len(value) > LONGEST or not value.startswith("/"):
        return ""
    for form in (value, unquote(value), unquote(unquote(value))):
        if form.startswith("//") or "\\" in form or not form.isprintable():
            return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    if parts.scheme or parts.netloc or any(step in {".", ".."} for step in unquote(parts.path).split("/")):
        return ""
    return "" if any(character.isspace() for character in value) else value


def programme_path(slug: str, value: str | None, *, base_url: str = "") -> str:
    """Return a path inside one programme's site, else an empty string.

    Identity providers send deep links as RelayState; with `base_url` a full address of ours is accepted too.
    """
    wanted = value or ""
    if base_url and wanted.startswith(f"{base_url}/"):
        wanted = wanted.removeprefix(base_url)
    path = safe_next(wanted)
    return path if path.startswith(f"/p/{slug}/") else ""
