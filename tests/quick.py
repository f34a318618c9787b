"""What makes the tests quick and changes nothing they test: cheap hashes, one service key, compiling once."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule

from rgapp.auth import passwords
from rgapp.integrations.saml import certificates, kind


@pytest.fixture(autouse=True, scope="session")
def _cheap_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hash passwords with little work, make one service key for all integrations, compile templates and URLs once."""
    made: list[tuple[str, str]] = []
    cache = FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))
    set_up, compile_builder = Flask.create_jinja_environment, Rule._compile_builder
    builders: dict[Any, Any] = {}

    def one_key(now: datetime, common_name: str) -> tuple[str, str]:
        if not made:
            made.append(certificates.make_service_key(now, common_name))
        return made[0]

    def with_cache(self: Flask) -> Any:
        environment = set_up(self)
        environment.bytecode_cache = cache
        return environment

    def once(self: Rule, append_unknown: bool = True) -> Any:
        key = (tuple(self._trace), repr(self.defaults), tuple(sorted(self.arguments)), append_unknown)
        if key not in builders:
            builders[key] = compile_builder(self, append_unknown)
        return builders[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        patch.setattr(kind, "make_service_key", one_key)
        patch.setattr(Flask, "create_jinja_environment", with_cache)
        patch.setattr(Rule, "_compile_builder", once)
        yield
