"""Configuration: defaults, `RGAPP_*` environment variables, and the refusal to start production without secrets."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from click import ClickException
from cryptography.fernet import Fernet

from rgapp.pool import engine_options

ENVIRONMENTS = ("development", "production", "testing")
MEGABYTE = 1024 * 1024
MAIL_FOLDER_ONLY = "folder"
# What an installation keeps in its folder is for its owner alone.
PRIVATE_FILES = (
    "*.db",
    "*.db-wal",
    "*.db-shm",
    "secret_key",
    "encryption_keys",
    "mail/*.eml",
    "demo-idp/*",
    "sftp/host_*",
)
PRIVATE_FOLDERS = ("mail", "demo-idp", "sftp", "spool", "sync")
SFTP_PORT = 2222
SFTP_LIMITS = {
    "SFTP_MAX_BYTES": 1024 * MEGABYTE,
    "SFTP_MAX_FILES": 1_000,
    "SFTP_MAX_TOTAL_BYTES": 4096 * MEGABYTE,
    "SFTP_KEEP_DAYS": 30,
}


class ConfigError(ClickException, RuntimeError):
    """The environment asks for something that cannot be started safely; the message says what to set.

    The `flask` command prints it as one line, without a traceback.
    """


@dataclass(frozen=True)
class Environment:
    """The process environment as far as this application reads it."""

    values: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "").strip() or default

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in {"1", "true", "yes", "on"}

    def number(self, name: str, default: int) -> int:
        raw = self.text(name)
        if not raw:
            return default
        try:
            return int(raw)
        except ValueError as error:
            raise ConfigError(f"{name} must be a whole number, not {raw!r}.") from error

    def words(self, name: str) -> frozenset[str]:
        return frozenset(word.strip() for word in self.text(name).split(",") if word.strip())


def instance_path(environment: Mapping[str, str] | None = None) -> Path:
    """Return the absolute instance folder: `INSTANCE`, or `instance/` beside the package."""
    configured = Environment(os.environ if environment is None else environment).text("INSTANCE")
    default = Path(__file__).resolve().parent.parent / "instance"
    return Path(configured).expanduser().resolve() if configured else default


def load(instance: Path, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Build the Flask configuration for this process.

    Keys that the environment does not give are made once and kept in the instance folder (mode 0600), outside the
    database. Production never does that: it must be given its keys.

    Raises `ConfigError` with a sentence for the operator.
    """
    env = Environment(os.environ if environment is None else environment)
    name = env.text("RGAPP_ENV", "development")
    if name not in ENVIRONMENTS:
        raise ConfigError(f"RGAPP_ENV must be one of {', '.join(ENVIRONMENTS)}, not {name!r}.")
    base_url = _base_url(env, instance)
    production = name == "production" or not _is_loopback(base_url)
    demo = env.flag("RGAPP_DEMO")
    if production:
        _refuse_unsafe_production(env, base_url, demo)
    prepare_folder(instance)
    https = base_url.startswith("https://")
    demo_bamboohr = _file_text(instance / "demo-idp" / "bamboohr-url") if demo else ""
    database_url = _database_url(env.text("RGAPP_DATABASE_URL"), instance)
    return {
        "ENVIRONMENT": "production" if production else name,
        "TESTING": name == "testing",
        "DEMO": demo,
        "DEMO_IDP_URL": _file_text(instance / "demo-idp" / "url") if demo else "",
        "BASE_URL": base_url,
        "SECRET_KEY": env.text("RGAPP_SECRET_KEY") or _kept_key(instance / "secret_key"),
        "ENCRYPTION_KEYS": sorted_keys(env.text("RGAPP_ENCRYPTION_KEYS") or _kept_key(instance / "encryption_keys")),
        "SQLALCHEMY_DATABASE_URI": database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(database_url, _pool_size(env)),
        "QUEUE_URL": env.text("RGAPP_QUEUE_URL", f"sqlite:///{instance / 'queue.db'}"),
        "SMTP_URL": env.text("RGAPP_SMTP_URL").removeprefix(MAIL_FOLDER_ONLY),
        "MAIL_FROM": env.text("RGAPP_MAIL_FROM", "rewards@localhost"),
        "MAIL_FOLDER": str(instance / "mail"),
        "OUTBOUND_ALLOW": frozenset(
            origin.rstrip("/") for origin in (*env.words("RGAPP_OUTBOUND_ALLOW"), *filter(None, [demo_bamboohr]))
        ),
        "BAMBOOHR_URL": env.text("RGAPP_BAMBOOHR_URL", demo_bamboohr).rstrip("/"),
        "TRUSTED_PROXIES": env.number("RGAPP_TRUSTED_PROXIES", 0),
        "ATTEMPT_RETENTION_DAYS": env.number("RGAPP_ATTEMPT_RETENTION_DAYS", 30),
        "METRICS_TOKEN": env.text("RGAPP_METRICS_TOKEN"),
        "RATELIMIT_STORAGE_URI": env.text("RGAPP_RATELIMIT_URL") or _counting_url(database_url, instance),
        "RATELIMIT_ENABLED": name != "testing",
        **_sftp(env, instance, base_url, production),
        "MAX_CONTENT_LENGTH": 4 * MEGABYTE,
        "MAX_FORM_MEMORY_SIZE": 2 * MEGABYTE,
        "HTTPS": https,
        "SESSION_COOKIE_NAME": "__Host-rg_form" if https else "rg_form",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PREFERRED_URL_SCHEME": "https" if https else "http",
        "BOOTSTRAP_SERVE_LOCAL": True,
        "WTF_CSRF_TIME_LIMIT": None,
    }


def _sftp(env: Environment, instance: Path, base_url: str, production: bool) -> dict[str, Any]:
    """Return where the SFTP server listens and keeps files, and which address clients are given.

    They are given what the operator says, else the port on which the server really listens: it writes that down.
    """
    folder = instance / "sftp"
    port = env.number("RGAPP_SFTP_PORT", SFTP_PORT)
    if not 0 <= port < 65536:
        raise ConfigError("RGAPP_SFTP_PORT must be a number from 0 to 65535.")
    limits = {name: env.number(f"RGAPP_{name}", usual) for name, usual in SFTP_LIMITS.items()}
    if min(limits.values()) < 1:
        raise ConfigError(f"{' and '.join(f'RGAPP_{name}' for name in limits)} must be 1 or more.")
    shown = urlsplit(f"//{env.text('RGAPP_SFTP_ADDRESS')}")
    return {
        "SFTP_BIND": env.text("RGAPP_SFTP_BIND", "" if production else "127.0.0.1"),
        "SFTP_PORT": port,
        "SFTP_SHOWN_HOST": shown.hostname or urlsplit(base_url).hostname,
        "SFTP_SHOWN_PORT": (shown.port or 22) if shown.hostname else None,
        "SFTP_OTHER_PORT": env.flag("RGAPP_SFTP_OTHER_PORT"),
        "SFTP_FOLDER": str(folder),
        "SFTP_SPOOL": env.text("RGAPP_SFTP_SPOOL", str(instance / "spool")),
        **limits,
    }


def prepare_folder(instance: Path) -> None:
    """Make the instance folder, and close what in it others could read: an older version left some files open.

    New files are private because every process of an installation starts with that umask (`wsgi.py`).
    """
    if not instance.exists():
        instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    for names, allowed in ((PRIVATE_FILES, 0o600), (PRIVATE_FOLDERS, 0o700)):
        for path in (found for name in names for found in instance.glob(name)):
            with suppress(OSError):  # It may be gone, or be another's: then it is not ours to close.
                if path.stat().st_mode & 0o077:
                    path.chmod(allowed)


def _refuse_unsafe_production(env: Environment, base_url: str, demo: bool) -> None:
    problems = []
    if demo:
        problems.append("RGAPP_DEMO=1 is for a loopback address only: unset it.")
    if not base_url.startswith("https://"):
        problems.append("RGAPP_BASE_URL must be the public https:// address of this service.")
    problems += [f"{name} must be set." for name in ("RGAPP_SECRET_KEY", "RGAPP_ENCRYPTION_KEYS") if not env.text(name)]
    if 0 < len(env.text("RGAPP_SECRET_KEY")) < 32:
        problems.append("RGAPP_SECRET_KEY must have 32 characters or more.")
    if not env.text("RGAPP_SMTP_URL") and env.text("RGAPP_ENV") != "testing":
        problems.append(
            "RGAPP_SMTP_URL must be set: mails carry links to set passwords. "
            f"RGAPP_SMTP_URL={MAIL_FOLDER_ONLY} keeps them in the instance folder on purpose."
        )
    if problems:
        raise ConfigError("This production service cannot start. " + " ".join(problems))


def _base_url(env: Environment, instance: Path) -> str:
    """Choose our own address; Host and X-Forwarded-* are never asked (FACTS: an app behind a proxy sees others)."""
    configured = env.text("RGAPP_BASE_URL")
    if not configured and env.text("PORT"):
        configured = f"http://127.0.0.1:{env.number('PORT', 8000)}"
    url = (configured or _file_text(instance / "base_url") or "http://127.0.0.1:8000").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.path:
        raise ConfigError(f"RGAPP_BASE_URL must look like https://rewards.example.com, not {url!r}.")
    return url


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _database_url(configured: str, instance: Path) -> str:
    """Accept the usual spellings of a PostgreSQL address; psycopg 3 is the driver we install."""
    for prefix in ("postgres://", "postgresql://"):
        if configured.startswith(prefix):
            return "postgresql+psycopg://" + configured.removeprefix(prefix)
    return configured or f"sqlite:///{instance / 'rgapp.db'}"


def _pool_size(env: Environment) -> int:
    """Return how many connections a process keeps: as many as the web process has threads, unless told otherwise."""
    size = env.number("RGAPP_DATABASE_POOL", env.number("RGAPP_WEB_THREADS", 8))
    if size < 1:
        raise ConfigError("RGAPP_DATABASE_POOL must be 1 or more.")
    return size


def _counting_url(database_url: str, instance: Path) -> str:
    """Count rate limits where all web processes see them: in PostgreSQL, or beside SQLite's file, in one of its own."""
    return f"sqlite:///{instance / 'limits.db'}" if database_url.startswith("sqlite") else database_url


def sorted_keys(text: str) -> tuple[str, ...]:
    """Split the comma-separated Fernet keys, newest first; the first one seals, all of them open."""
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    for key in keys:
        try:
            Fernet(key)
        except ValueError as error:
            raise ConfigError("RGAPP_ENCRYPTION_KEYS must hold Fernet keys (32 bytes, url-safe base64).") from error
    return keys


def _kept_key(path: Path) -> str:
    """Read a key from the instance folder, making it on the first start; safe when several processes start at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(Fernet.generate_key().decode())
        try:
            os.link(draft, path)  # Fails when another process was first; its key is the one that counts.
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def _file_text(path: Path) -> str:
    return path.read_text().strip() if path.is_file() else ""
