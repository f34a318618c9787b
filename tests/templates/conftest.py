"""An application with the templates and nothing else, and a way to render a line of them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, render_template_string
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect

from rgapp import templating

IMPORTS = "".join(
    f'{{% import "macros/{name}.html" as {name} %}}' for name in ("ui", "forms", "tables", "verdicts", "charts")
)
Render = Callable[..., str]


@pytest.fixture
def bare_app() -> Flask:
    """Build an application that has templates, no routes and no database."""
    app = Flask("rgapp")
    app.config.update(SECRET_KEY="only-for-tests", TESTING=True, BOOTSTRAP_SERVE_LOCAL=True)
    Bootstrap5(app)
    CSRFProtect(app)
    templating.init_app(app)
    return app


@pytest.fixture
def render(bare_app: Flask) -> Iterator[Render]:
    """Return a function that renders template text, with every macro file imported by its name."""
    with bare_app.test_request_context():

        def render_text(text: str, **context: Any) -> str:
            return render_template_string(IMPORTS + text, **context)

        yield render_text
