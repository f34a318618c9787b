"""The layouts and the error pages, rendered on their own."""

from types import SimpleNamespace

import pytest
from flask import Flask, flash, render_template, render_template_string
from lxml import html

PROGRAMME = SimpleNamespace(
    name="Acme & Co", slug="acme", colour="teal", contact_name="Ruth", contact_email="people@acme.example"
)
STAFF = SimpleNamespace(name="Ada Brandt", email="ada@acme.example", role="admin")


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 429, 500, 503])
def test_an_error_page_has_one_title_and_calm_words(bare_app: Flask, status: int) -> None:
    with bare_app.test_request_context():
        page = html.fromstring(render_template(f"errors/{status}.html"))

    assert len(page.xpath("//h1")) == 1
    assert "error" not in page.text_content().lower()
    assert "!" not in page.text_content()


def test_the_page_of_our_own_mistake_shows_its_reference(bare_app: Flask) -> None:
    with bare_app.test_request_context():
        page = render_template("errors/500.html", reference="K7QF-2M9P")

    assert "K7QF-2M9P" in page


def manager_page(app: Flask, **context: object) -> str:
    """Render an empty page of Reward Manager."""
    given: dict[str, object] = {
        "nav": [{"label": "Users", "url": "/users", "icon": "people", "active": True}],
        "programmes": [PROGRAMME],
        "programme": PROGRAMME,
        "current_user": STAFF,
        "demo": False,
    }
    with app.test_request_context():
        return render_template_string(
            '{% extends "layouts/manager.html" %}{% block title %}Users{% endblock %}', **given | context
        )


def test_reward_manager_tells_where_one_is_and_who_one_is(bare_app: Flask) -> None:
    page = html.fromstring(manager_page(bare_app))

    assert page.xpath("//nav[@aria-label='Main']//a[@aria-current='page']")[0].text_content() == "Users"
    assert "Ada Brandt" in page.text_content()
    assert "HR admin" in page.text_content()
    assert page.xpath("//a[@class='skip-link']/@href") == ["#main"]
    assert page.xpath("//main[@id='main']")
    assert page.findtext(".//title") == "Users · Reward Manager"


def test_only_those_with_several_programmes_get_a_switcher(bare_app: Flask) -> None:
    other = SimpleNamespace(name="Northwind", slug="northwind")

    assert not html.fromstring(manager_page(bare_app)).xpath("//select")
    page = html.fromstring(manager_page(bare_app, programmes=[PROGRAMME, other]))
    assert page.xpath("//select[@name='programme']/option/@value") == ["acme", "northwind"]


def test_the_demo_says_so(bare_app: Flask) -> None:
    assert "Demo mailbox" not in manager_page(bare_app)
    assert "Demo mailbox" in manager_page(bare_app, demo=True)


def test_a_programmes_site_shows_its_name_colour_and_contact(bare_app: Flask) -> None:
    bare_app.add_url_rule("/p/<slug>/", "home.index")
    bare_app.add_url_rule("/p/<slug>/logout", "home.logout")
    with bare_app.test_request_context():
        text = render_template_string(
            '{% extends "layouts/site.html" %}{% block title %}Sign in{% endblock %}', programme=PROGRAMME
        )
    page = html.fromstring(text)

    assert "programme-teal" in page.xpath("//body/@class")[0]
    assert page.findtext(".//title") == "Sign in · Acme & Co"
    assert page.xpath("//footer//a/@href") == ["mailto:people@acme.example"]
    assert not page.xpath("//form")


def test_flashes_say_their_kind(bare_app: Flask) -> None:
    with bare_app.test_request_context():
        flash("Saved as a draft.", "success")
        page = html.fromstring(
            render_template_string('{% extends "layouts/bare.html" %}{% block title %}x{% endblock %}')
        )

    assert page.xpath("//*[@role='status']//*[contains(@class, 'callout-ok')]//p/text()") == ["Saved as a draft."]
