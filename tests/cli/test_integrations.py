"""`flask integration …`: a second time changes nothing, every problem comes at once, and an export can be applied."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from sqlalchemy import func, select

from rgapp.integrations import service
from rgapp.models import AuditEvent, Integration, IntegrationVersion, Programme
from tests.cli.conftest import MAPPING, Terminal
from tests.conftest import NOW
from tests.factories import Factory
from tests.provisioning.conftest import ACTOR

Entry = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.usefixtures("acme")


def document(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a file's content."""
    return {"programme": "acme", "integrations": list(entries), **more}


def listed(terminal: Terminal) -> dict[str, dict[str, Any]]:
    """Return the integrations of acme by name."""
    return {each["name"]: each for each in terminal.json("integration", "list", "--programme", "acme")}


def rows(terminal: Terminal) -> tuple[int, int]:
    """Return how many versions and events there are."""
    count = terminal.session.scalar
    return (
        count(select(func.count()).select_from(IntegrationVersion)) or 0,
        count(select(func.count()).select_from(AuditEvent)) or 0,
    )


def test_a_first_apply_creates_and_publishes(terminal: Terminal, okta: Entry) -> None:
    printed = terminal.run("integration", "apply", terminal.write(document(okta())))
    assert printed.splitlines()[0] == "Okta: created, published as version 1"
    entry = listed(terminal)["Okta"]
    assert (entry["kind"], entry["state"]) == ("inbound-saml", "live")
    assert entry["urls"]["acs"] in printed
    assert {"login", "acs", "metadata", "entity_id"} <= set(entry["urls"])
    assert entry["urls"]["login"].startswith("http://127.0.0.1:8000/sso/")


def test_a_second_apply_changes_nothing(terminal: Terminal, okta: Entry) -> None:
    file = terminal.write(document(okta(), guard={"percent": 20, "people": 7}))
    terminal.run("integration", "apply", file)
    before = rows(terminal)
    assert terminal.run("integration", "apply", file).splitlines() == ["guard: unchanged", "Okta: unchanged"]
    assert rows(terminal) == before


def test_a_change_is_published_and_shown(terminal: Terminal, okta: Entry) -> None:
    terminal.run("integration", "apply", terminal.write(document(okta())))
    changed = okta(mapping=MAPPING | {"email": {"name_id": True}}, jit={"create": False})
    printed = terminal.run("integration", "apply", terminal.write(document(changed)))
    assert printed.splitlines() == [
        "Okta: published as version 2",
        "  jit.create: true -> false",
        "  mapping.email.attribute: mail -> nothing",
        "  mapping.email.name_id: false -> true",
    ]


def test_a_dry_run_prints_the_same_and_writes_nothing(terminal: Terminal, okta: Entry) -> None:
    file = terminal.write(document(okta(), guard={"percent": 20}))
    before = rows(terminal)
    printed = terminal.run("integration", "apply", file, "--dry-run")
    assert printed.splitlines() == [
        "guard: would be changed",
        "  guard_percent: 10 -> 20",
        "Okta: would be created, published as version 1",
    ]
    assert terminal.errors == ["Dry run: nothing was written."]
    assert (rows(terminal), listed(terminal)) == (before, {})


@pytest.mark.parametrize(("published", "state"), [(False, "draft"), (None, "draft"), (True, "live")])
def test_published_decides_whether_it_is_live(
    terminal: Terminal, okta: Entry, published: bool | None, state: str
) -> None:
    terminal.run("integration", "apply", terminal.write(document(okta(published=published))))
    assert listed(terminal)["Okta"]["state"] == state


def test_a_live_one_is_paused_and_switched_on_again(terminal: Terminal, okta: Entry) -> None:
    terminal.run("integration", "apply", terminal.write(document(okta())))
    for published, action, state in ((False, "paused", "paused"), (True, "switched on", "live")):
        file = terminal.write(document(okta(published=published)))
        assert terminal.run("integration", "apply", file).splitlines() == [f"Okta: {action}"]
        assert listed(terminal)["Okta"]["state"] == state
        assert terminal.run("integration", "apply", file).splitlines() == ["Okta: unchanged"]


def test_without_published_a_change_waits_as_a_draft(terminal: Terminal, okta: Entry) -> None:
    terminal.run("integration", "apply", terminal.write(document(okta())))
    file = terminal.write(document(okta(published=None, signed="response")))
    assert terminal.run("integration", "apply", file).splitlines()[0] == "Okta: saved as a draft"
    assert terminal.run("integration", "apply", file).splitlines() == ["Okta: unchanged"]
    integration = terminal.session.scalars(select(Integration)).one()
    live = service.live_settings(terminal.session, integration)
    assert (live or {})["signed"] == "assertion"
    assert integration.draft["signed"] == "response"


def test_a_new_name_is_a_new_integration_and_others_are_left_alone(terminal: Terminal, okta: Entry) -> None:
    terminal.run("integration", "apply", terminal.write(document(okta())))
    terminal.run("integration", "apply", terminal.write(document(okta(name="Entra", provider="entra"))))
    found = listed(terminal)
    assert {name: each["state"] for name, each in found.items()} == {"Okta": "live", "Entra": "live"}
    assert found["Entra"]["provider"] == "entra"
    assert found["Okta"]["urls"] != found["Entra"]["urls"]


def test_a_name_in_another_case_is_the_same_integration(terminal: Terminal, okta: Entry) -> None:
    terminal.run("integration", "apply", terminal.write(document(okta())))
    terminal.run("integration", "apply", terminal.write(document(okta(name="OKTA"))))
    assert list(listed(terminal)) == ["OKTA"]


def test_several_integrations_in_one_file(terminal: Terminal, okta: Entry) -> None:
    entries = [okta(name=f"Connection {number}") for number in range(3)]
    terminal.run("integration", "apply", terminal.write(document(*entries)))
    assert len(listed(terminal)) == 3


def test_what_is_in_the_environment_is_taken_from_there(
    terminal: Terminal, okta: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_SSO", "https://idp.example/other")
    entry = okta(idp={"metadata_file": "okta.xml", "sso_url": {"env": "ACME_SSO"}})
    terminal.run("integration", "apply", terminal.write(document(entry)))
    integration = terminal.session.scalars(select(Integration)).one()
    assert integration.draft["idp"]["sso_url"] == "https://idp.example/other"


def test_the_programmes_usual_date_format_is_the_default(terminal: Terminal, okta: Entry, acme: Programme) -> None:
    acme.region = "us"  # type: ignore[assignment]
    terminal.run("integration", "apply", terminal.write(document(okta())))
    integration = terminal.session.scalars(select(Integration)).one()
    assert integration.draft["mapping"]["date_of_birth"]["format"] == "%m/%d/%Y"


def test_every_problem_is_told_at_once_and_nothing_is_written(
    terminal: Terminal, okta: Entry, certificates: list[str]
) -> None:
    content = document(
        okta(),
        okta(),
        okta(name="", idp={"metadata_file": "missing.xml"}, mapping={"email": {"attribute": "mail"}}, colour="red"),
        {"kind": "telepathy", "name": "Entra", "published": True},
        okta(name="Key", idp={"entity_id": "x", "sso_url": "ftp://x", "certificates": ["-----BEGIN PRIVATE KEY-----"]}),
        okta(name="Env", signed={"env": "NOT_THERE"}, published="yes", provider="nobody"),
        "Okta",
        guard={"percent": 200, "persons": 1},
        colour="red",
    )
    before = rows(terminal)
    errors = terminal.fails("integration", "apply", terminal.write(content))
    text = "\n".join(errors)
    for path in (
        "colour: This key is not known.",
        "guard.percent: ",
        "guard.persons: This key is not known.",
        "integrations[1].name: 'Okta' stands twice",
        "integrations[2].name: ",
        "integrations[2].colour: This option is not known.",
        "integrations[2].idp.metadata_file: The file cannot be read: No such file or directory.",
        "integrations[2].mapping: These mandatory fields have no source yet: membership_no.",
        "integrations[3].kind: 'telepathy' is not a kind of integration we know. "
        "Known: bamboohr, inbound-saml, json-report, scim, sftp.",
        "integrations[4].idp.sso_url: ",
        "integrations[4].idp.certificates: This contains a private key.",
        "integrations[5].signed: The environment variable NOT_THERE is not set.",
        "integrations[5].published: This is true or false.",
        "integrations[5].provider: ",
        "integrations[6]: Each integration is a mapping",
    ):
        assert path in text
    assert rows(terminal) == before


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "file: Begin with"),
        ("- a\n- b\n", "file: Begin with"),
        ("programme: acme\nintegrations: [\n", "line 3: "),
        ("programme: acme\nprogramme: other\n", "line 2: the key 'programme' stands twice."),
        ("a: \x01", "file: This is not readable YAML."),
        ("programme: !!python/object:os.system x\n", "line 1: "),
        ("programme: 7\n", "programme: name the programme by its slug."),
        ("programme: nix\n", "There is no programme called 'nix'."),
        ("programme: acme\nintegrations: {}\n", "integrations: This must be a list."),
        ("programme: acme\nguard: 5\n", "guard: Write it as"),
        ("programme: acme\nguard: {people: true}\n", "guard.people: Give a whole number"),
        ("a: " + "[" * 5000, "file: This is not readable YAML."),
    ],
)
def test_a_file_of_another_shape_is_refused(terminal: Terminal, content: str, expected: str) -> None:
    (first, *_) = terminal.fails("integration", "apply", terminal.write(content))
    assert first.startswith(expected)


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"\xff\xfe\x00", "is not UTF-8 text"), (b" " * (4 * 1024 * 1024 + 1), "is larger than 4 MiB")],
)
def test_a_file_that_is_no_text_is_refused(terminal: Terminal, data: bytes, expected: str) -> None:
    (terminal.folder / "x.yaml").write_bytes(data)
    assert expected in terminal.fails("integration", "apply", str(terminal.folder / "x.yaml"))[0]


def test_a_file_that_is_not_there_and_a_folder_are_refused(terminal: Terminal) -> None:
    for path in (terminal.folder / "missing.yaml", terminal.folder):
        assert "cannot be read" in terminal.fails("integration", "apply", str(path))[0]


def test_the_file_may_come_from_stdin(terminal: Terminal) -> None:
    printed = terminal.run("integration", "apply", "-", input="programme: acme\nguard: {people: 9}\n")
    assert "guard: changed" in printed


def test_broken_metadata_is_explained(terminal: Terminal, okta: Entry) -> None:
    (terminal.folder / "okta.xml").write_text("<html><body>Sign in</body></html>")
    (error,) = terminal.fails("integration", "apply", terminal.write(document(okta())))
    assert error.startswith("integrations[0].idp.metadata_file: ")


def test_a_private_metadata_address_is_not_fetched(terminal: Terminal, okta: Entry) -> None:
    entry = okta(idp={"metadata_url": "https://127.0.0.1/metadata"})
    (error,) = terminal.fails("integration", "apply", terminal.write(document(entry)))
    assert error.startswith("integrations[0].idp.metadata_url: This address leads into a private network.")


def test_an_export_changes_nothing_when_it_is_applied(terminal: Terminal, okta: Entry) -> None:
    content = document(
        okta(provider="okta"),
        okta(name="Entra", published=False, provider="entra"),
        okta(name="Paused"),
        guard={"percent": 15, "people": 3},
    )
    terminal.run("integration", "apply", terminal.write(content))
    terminal.run("integration", "apply", terminal.write(document(okta(name="Paused", published=False))))
    exported = terminal.run("integration", "export", "--programme", "acme")
    before = rows(terminal)
    printed = terminal.run("integration", "apply", terminal.write(exported, "exported.yaml"))
    assert all(line.endswith(": unchanged") for line in printed.splitlines())
    assert rows(terminal) == before
    assert "-----BEGIN CERTIFICATE-----\n" in exported


def test_an_export_makes_the_same_elsewhere(terminal: Terminal, okta: Entry, make: Factory) -> None:
    make.programme("globex")
    terminal.run("integration", "apply", terminal.write(document(okta())))
    exported = yaml.safe_load(terminal.run("integration", "export", "--programme", "acme"))
    terminal.run("integration", "apply", terminal.write(exported | {"programme": "globex"}))
    again = yaml.safe_load(terminal.run("integration", "export", "--programme", "globex"))
    assert again["integrations"] == exported["integrations"]


def test_an_unpublished_draft_survives_export_and_apply(terminal: Terminal, okta: Entry) -> None:
    terminal.run("integration", "apply", terminal.write(document(okta())))
    integration = terminal.session.scalars(select(Integration)).one()
    service.save_draft(terminal.session, integration, actor=ACTOR, now=NOW, signed="either")
    exported = terminal.run("integration", "export", str(integration.id))
    assert yaml.safe_load(exported)["integrations"][0]["signed"] == "assertion"
    printed = terminal.run("integration", "apply", terminal.write(exported))
    assert printed.splitlines()[-1] == "Okta: unchanged"
    terminal.session.refresh(integration)
    assert integration.draft["signed"] == "either"


def test_an_incomplete_draft_is_left_out_of_an_export(terminal: Terminal, make: Factory, acme: Programme) -> None:
    make.integration(acme, {"idp": {}}, name="Begun", published=False)
    assert yaml.safe_load(terminal.run("integration", "export", "--programme", "acme"))["integrations"] == []
    assert terminal.errors == ["Left out: Begun is a draft that is not complete."]


def test_a_tested_draft_is_listed_as_one(terminal: Terminal, make: Factory, acme: Programme) -> None:
    integration = make.integration(acme, {"idp": {}}, name="Begun", published=False)
    service.note_test(terminal.session, integration, passed=True, tested=integration.draft)
    assert listed(terminal)["Begun"]["state"] == "tested"


def test_the_list_for_people(terminal: Terminal, okta: Entry) -> None:
    assert terminal.run("integration", "list", "--programme", "acme") == ""
    terminal.run("integration", "apply", terminal.write(document(okta())))
    heading, line = terminal.run("integration", "list", "--programme", "acme").splitlines()
    assert heading.split() == ["name", "kind", "state", "id"]
    assert line.split()[:3] == ["Okta", "inbound-saml", "live"]


def test_what_is_not_there_cannot_be_exported(terminal: Terminal, okta: Entry, make: Factory) -> None:
    terminal.run("integration", "apply", terminal.write(document(okta())))
    make.programme("globex")
    integration = terminal.session.scalars(select(Integration)).one()
    assert "not an integration's ID" in terminal.fails("integration", "export", "okta")[0]
    unknown = "00000000-0000-7000-8000-000000000000"
    assert "There is no integration" in terminal.fails("integration", "export", unknown)[0]
    elsewhere = terminal.fails("integration", "export", str(integration.id), "--programme", "globex")
    assert "There is no integration" in elsewhere[0]
    terminal.run("integration", "export", code=2)
