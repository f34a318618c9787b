"""The shape of the house: imports point to the right, modules stay small, and each says what it holds."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "rgapp"
MODULES = sorted(PACKAGE.rglob("*.py"))
# From right to left: a package may import those before it, and nothing after it.
LAYERS = (
    ("models",),
    ("audit", "mail"),
    ("provisioning",),
    ("integrations",),
    ("auth", "jobs", "sso", "scim", "sftp", "home", "dashboard", "users", "manager"),
    ("demo",),
    ("cli",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
WITHOUT_FLASK = ("models", "audit", "provisioning", "integrations")
FRAMEWORK = {"flask", "flask_login", "flask_wtf", "flask_sqlalchemy", "wtforms"}
LONGEST_MODULE = 300


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a module imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(name: str) -> int | None:
    """Return the layer of a dotted name of ours, None for the modules beside the packages."""
    parts = name.split(".")
    return RANK.get(parts[1]) if parts[0] == "rgapp" and len(parts) > 1 else None


def named(path: Path) -> str:
    """Return a module's path from the root."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_imports_point_to_the_right_only(path: Path) -> None:
    own = layer_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if own is None:
        return
    wrong = [name for name in imports(path) if (layer_of(name) or 0) > own]
    assert wrong == []


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_services_know_no_web_framework(path: Path) -> None:
    relative = path.relative_to(PACKAGE).parts
    if relative[0] not in WITHOUT_FLASK or "forms" in path.stem:  # Forms are WTForms classes wherever they stand.
        return
    assert {name.split(".")[0] for name in imports(path)} & FRAMEWORK == set()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_module_says_in_one_sentence_what_it_holds(path: Path) -> None:
    if not path.read_text().strip():
        return
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert docstring.splitlines()[0].endswith(".")


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_module_grows_without_end(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.name == "routes.py" or "dashboard" in path.parts], ids=named
)
def test_routes_ask_no_database(path: Path) -> None:
    """A route parses, makes one call and shows; queries live in modules of their own."""
    if path.stem in {"queries", "health"}:
        return
    assert {"sqlalchemy.select", "sqlalchemy.update", "sqlalchemy.delete"} & set(imports(path)) == set()


def test_only_provisioning_writes_users() -> None:
    """Making a user, or setting one of its fields, is provisioning's alone."""
    makers = [
        named(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "User"
    ]
    assert makers == []
