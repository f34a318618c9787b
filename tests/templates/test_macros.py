"""The macros: what they say, what they escape, and what assistive technology is told."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask_wtf import FlaskForm
from jinja2 import UndefinedError
from lxml import html
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, FileField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from tests.templates.conftest import Render

NASTY = "<script>alert(1)</script>\"'"
TEMPLATES = Path(__file__).resolve().parents[2] / "rgapp" / "templates"


class SetUpForm(FlaskForm):
    """One field of each sort."""

    name = StringField("Configuration name", [InputRequired("Give it a name.")], description="The button's text.")
    source = RadioField(
        "Identity provider", choices=[SelectChoice("file", "Metadata file"), SelectChoice("hand", "By hand")]
    )
    certificates = TextAreaField("Certificates")
    signed = SelectField("Signature on", choices=[SelectChoice("assertion", "Assertion")])
    upload = FileField("Metadata file")
    jit = BooleanField("Create an account on the first sign-in")


def tree(text: str) -> Any:
    """Parse what was rendered."""
    return html.fromstring(f"<div>{text}</div>")


def filled(**data: str) -> SetUpForm:
    """Return a form as it was sent, validated."""
    form = SetUpForm(formdata=MultiDict(data), meta={"csrf": False})
    form.validate()
    return form


@pytest.mark.parametrize(
    "line",
    [
        "{{ ui.status_chip(x) }}",
        "{{ ui.page_header(x, 'live', x) }}",
        "{{ ui.breadcrumbs([(x, '#'), (x, none)]) }}",
        "{{ ui.callout('failed', x, x) }}",
        "{{ ui.empty_state(x, x) }}",
        "{{ ui.key_values([{'label': x, 'value': x, 'note': x, 'copy': true}]) }}",
        "{{ ui.copy_field(x, x, x) }}",
        "{{ ui.copy_field(x, x, x, rows=4) }}",
        "{{ ui.copy_block(x, x) }}",
        "{{ ui.reference(x) }}",
        "{{ ui.stepper([{'key': 'a', 'label': x, 'url': x}], 'a') }}",
        "{{ ui.timeline([{'at': at, 'title': x, 'who': x, 'detail': x, 'changes': [(x, x, x)], 'url': x}]) }}",
        "{{ ui.tabs([{'label': x, 'url': x, 'active': true}], x) }}",
        "{{ ui.menu(x, [{'label': x, 'url': x, 'help': x}, '-', {'label': x, 'url': x, 'post': true}]) }}",
        "{{ ui.progress(1, 2, x, [(x, 1, 'ok')]) }}",
        "{{ ui.provider_tile(x, x, x, x) }}",
        "{{ ui.integration_card(x, x, 'live', x, x) }}",
        "{{ ui.confirm_button(x, x, x, x, fields={'a': x}) }}",
        "{{ ui.post_button(x, x, {'a': x}) }}",
        "{{ ui.on_off(x, true, x) }}",
        "{{ ui.steps_list([x, {'text': x, 'copy': [(x, x)]}]) }}",
        "{{ verdicts.outcome('wrong', x, x) }}",
        "{{ verdicts.verdict_row('wrong', x, x, x, x, x) }}",
        "{{ verdicts.field_row('missing', x, 'mandatory', x, x, x, x, 'idp') }}",
        "{{ verdicts.arrived([x], [x], {x: x}, {x: x}) }}",
        "{{ tables.filter_chips(x, [{'label': x, 'url': x, 'active': false, 'count': 3}]) }}",
        "{{ tables.th(x, x, 'ascending') }}",
        "{{ tables.pager(x, x, x) }}",
        "{{ forms.search(x, x, x, hidden={'a': x}) }}",
        "{{ charts.bar_chart([], x) }}",
    ],
)
def test_whatever_is_shown_is_escaped(render: Render, line: str) -> None:
    shown = render(line, x=NASTY, at=datetime(2026, 5, 3, tzinfo=UTC))

    assert "<script" not in shown
    assert not tree(shown).xpath("//script | //@onclick")


def test_a_chip_says_the_state_in_a_word_and_knows_enums_by_value(render: Render) -> None:
    assert "Needs attention" in render("{{ ui.status_chip('needs_attention') }}")
    assert "Something else" in render("{{ ui.status_chip('something_else') }}")


def test_a_key_value_list_names_what_is_not_given(render: Render) -> None:
    assert "Not given" in render("{{ ui.key_values([('Date of birth', none)]) }}")


def test_the_current_step_is_told_and_an_unreachable_one_is_no_link(render: Render) -> None:
    steps = [{"key": "a", "label": "Mapping", "url": "/a", "state": "done"}, {"key": "b", "label": "Testing"}]
    page = tree(render("{{ ui.stepper(steps, 'a') }}", steps=steps))

    assert page.xpath("string(//*[@aria-current='step']//*[@class='step-label'])") == "Mapping (done)"
    assert page.xpath("//a/@href") == ["/a"]


def test_a_time_carries_the_exact_one(render: Render) -> None:
    page = tree(render("{{ ui.rel_time(at, 'Europe/London') }}", at=datetime(2020, 5, 3, 13, 5, tzinfo=UTC)))

    assert page.xpath("//time/@datetime") == ["2020-05-03T13:05:00Z"]
    assert page.xpath("//time/@title") == ["3 May 2020, 14:05:00 BST"]
    assert "Never" in render("{{ ui.rel_time(none) }}")


def test_a_confirmation_works_without_javascript_and_carries_a_token(render: Render) -> None:
    page = tree(render("{{ ui.confirm_button('Deactivate', 'Deactivate Jane?', 'Ends 2 sessions.', '/x') }}"))

    assert page.xpath("string(//details/summary)") == "Deactivate"
    panel = page.xpath("//details/*[@role='group']")[0]
    title = page.xpath(f"string(//*[@id='{panel.get('aria-labelledby')}'])")
    assert title == "Deactivate Jane?"
    assert panel.xpath(".//form[@method='post' and @action='/x']//input[@name='csrf_token']/@value")


def test_extra_inputs_of_a_confirmation_stand_in_its_form(render: Render) -> None:
    line = "{% call ui.confirm_button('A', 'B', 'C', '/x') %}<input name='reason'>{% endcall %}"

    assert tree(render(line)).xpath("//form//input[@name='reason']")


def test_the_switch_sends_the_other_state(render: Render) -> None:
    page = tree(render("{{ ui.on_off('Okta', true, '/x') }}"))

    assert page.xpath("//button[@role='switch']/@aria-checked") == ["true"]
    assert page.xpath("//input[@name='on']/@value") == ["false"]


def test_an_error_stands_beside_its_field_and_is_told_with_it(render: Render) -> None:
    page = tree(render("{{ forms.field(form.name, width='half') }}", form=filled()))
    field = page.xpath("//input[@id='name']")[0]

    assert field.get("aria-invalid") == "true"
    assert field.get("aria-describedby") == "name-error name-help"
    assert field.get("required") is None
    assert page.xpath("string(//*[@id='name-error'])").strip() == "Give it a name."
    assert page.xpath("string(//*[@id='name-help'])") == "The button's text."


def test_a_good_field_has_no_error_marks(render: Render) -> None:
    page = tree(render("{{ forms.field(form.name) }}", form=filled(name="Okta")))

    assert page.xpath("//input/@value") == ["Okta"]
    assert not page.xpath("//*[@aria-invalid] | //*[contains(@class, 'is-invalid')]")


@pytest.mark.parametrize("name", ["name", "certificates", "signed", "upload", "jit"])
def test_every_field_has_a_label(render: Render, name: str) -> None:
    page = tree(render("{{ forms.field(form[name], help='Why.') }}", form=filled(), name=name))

    assert page.xpath(f"//label[@for='{name}']")
    assert f"{name}-help" in page.xpath(f"//*[@id='{name}']/@aria-describedby")[0]


def test_radio_cards_are_a_named_group_with_a_sentence_each(render: Render) -> None:
    line = "{{ forms.field(form.source, descriptions={'file': 'An XML file.'}) }}"
    page = tree(render(line, form=filled()))

    assert page.xpath("string(//fieldset/legend)") == "Identity provider"
    described = page.xpath("//input[@value='file']/@aria-describedby")[0]
    assert page.xpath(f"string(//*[@id='{described}'])") == "An XML file."
    assert page.xpath("//fieldset/@aria-describedby") == ["source-error"]


def test_the_error_summary_links_to_each_field(render: Render) -> None:
    page = tree(render("{{ forms.error_summary(form) }}", form=filled(signed="assertion")))

    assert page.xpath("//*[@role='alert']//a/@href") == ["#name", "#source-0"]
    assert "2 things need another look" in page.text_content()


def test_a_form_without_errors_has_no_summary_and_one_token(render: Render) -> None:
    page = tree(render("{% call forms.form(form) %}{{ forms.buttons('Save') }}{% endcall %}", form=SetUpForm()))

    assert not page.xpath("//*[@role='alert']")
    assert len(page.xpath("//form[@novalidate]//input[@name='csrf_token']")) == 1


def test_a_stale_form_says_that_nothing_is_lost(render: Render) -> None:
    form = SetUpForm(formdata=MultiDict({"csrf_token": "old"}))
    form.validate()

    assert "Nothing is lost" in render("{{ forms.error_summary(form) }}", form=form)


def test_the_sorted_column_is_told(render: Render) -> None:
    page = tree("<table><tr>" + render("{{ tables.th('Name', '/?sort=name', 'descending') }}") + "</tr></table>")

    assert page.xpath("//th[@scope='col']/@aria-sort") == ["descending"]


def test_a_pager_without_anything_to_say_is_not_there(render: Render) -> None:
    assert render("{{ tables.pager() }}").strip() == ""


def test_checks_are_folded_only_when_all_passed(render: Render) -> None:
    good = [{"state": "ok", "what": "Signed"}]
    bad = [*good, SimpleNamespace(state="wrong", what="In time", expected="before 12:00", got="12:05", who_fixes="idp")]

    assert not tree(render("{{ verdicts.checks(rows) }}", rows=good)).xpath("//details[@open]")
    page = tree(render("{{ verdicts.checks(rows) }}", rows=bad))
    assert page.xpath("//details[@open]")
    assert "1 of 2 did not pass" in page.text_content()
    assert "Identity provider" in page.text_content()


def test_a_chart_says_its_numbers_in_words(render: Render) -> None:
    days = [(date(2026, 5, 2), 30, 0), (date(2026, 5, 3), 1200, 3)]
    page = tree(render("{{ charts.bar_chart(days, size='large', table=true) }}", days=days))

    assert page.xpath("//svg/@aria-label") == ["Sign-ins in 2 days: 1,230 good, 3 refused."]
    assert page.xpath("//tbody/tr[2]/th/text()") == ["3 May 2026"]


def test_a_chart_of_nothing_draws_no_bar(render: Render) -> None:
    page = tree(render("{{ charts.bar_chart(days) }}", days=[(date(2026, 5, 3), 0, 0)] * 14))

    assert not page.xpath("//rect[@class='chart-good' or @class='chart-refused']")


def test_a_name_that_nobody_gave_is_an_error(render: Render) -> None:
    with pytest.raises(UndefinedError):
        render("{{ nobody_gave_this }}")


PAGES = sorted(path for path in TEMPLATES.rglob("*.html") if path.parent.name != "mail")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_page_has_inline_script_style_or_handlers(path: Path) -> None:
    source = path.read_text()

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", source)
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)
