"""`flask programme`, `staff`, `user` and `mail`: the same services as the web, and errors without a traceback."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, text

from rgapp.auth import staff as staff_accounts
from rgapp.clock import utcnow
from rgapp.models import AuditEvent, OutboxMail, Programme, Role, Staff, StaffSession, User
from tests.cli.conftest import Terminal
from tests.factories import PASSWORD, Factory

ROOT = Path(__file__).parents[2]
USER = ("user", "show", "--programme", "acme", "--membership-no")


def test_a_programme_is_created_listed_and_shown(terminal: Terminal) -> None:
    printed = terminal.run(
        "programme", "create", "--name", "Acme Rewards", "--slug", "acme", "--region", "us", "--timezone",
        "America/New_York", "--contact-name", "HR", "--contact-email", "hr@acme.example", "--colour", "teal",
        "--passwords",
    )  # fmt: skip
    assert printed == "Created programme acme (Acme Rewards): http://127.0.0.1:8000/p/acme/\n"
    (listed,) = terminal.json("programme", "list")
    assert listed == terminal.json("programme", "show", "acme")
    assert (listed["region"], listed["colour"], listed["password_sign_in"]) == ("us", "teal", True)
    assert listed["guard"] == {"percent": 10, "people": 5}
    assert "acme" in terminal.run("programme", "list")
    assert "contact email: hr@acme.example" in terminal.run("programme", "show", "acme")


def test_a_programme_is_changed(terminal: Terminal, acme: Programme) -> None:
    assert "Changed programme acme." in terminal.run("programme", "update", "acme", "--second-factor", "--name", "Acme")
    shown = terminal.json("programme", "show", "acme")
    assert (shown["second_factor_required"], shown["name"]) == (True, "Acme")
    assert "Nothing was different" in terminal.run("programme", "update", "acme", "--second-factor")
    terminal.run("programme", "update", "acme", "--no-second-factor")
    assert terminal.json("programme", "show", "acme")["second_factor_required"] is False


def test_a_programme_is_created_as_json_too(terminal: Terminal) -> None:
    assert terminal.json("programme", "create", "--name", "A", "--slug", "a")["slug"] == "a"


def test_all_that_is_wrong_with_a_programme_is_told_at_once(terminal: Terminal, acme: Programme) -> None:
    errors = terminal.fails(
        "programme", "create", "--name", "x" * 101, "--slug", "Ac me", "--timezone", "Mars/Olympus",
        "--contact-email", "hr",
    )  # fmt: skip
    assert [line.partition(":")[0] for line in errors] == ["slug", "name", "timezone", "contact_email"]
    (taken,) = terminal.fails("programme", "create", "--name", "A", "--slug", "acme")
    assert "already" in taken


@pytest.mark.parametrize(
    "words",
    [
        ("programme", "create", "--name", "A"),
        ("programme", "create", "--name", "A", "--slug", "a", "--region", "moon"),
        ("user", "list"),
        ("staff", "create", "--email", "a@b.co", "--role", "boss"),
        ("integration", "apply"),
    ],
)
def test_wrong_usage_ends_with_2(terminal: Terminal, words: tuple[str, ...]) -> None:
    terminal.run(*words, code=2)
    assert any(line.startswith("Error: ") for line in terminal.errors)


@pytest.mark.parametrize(
    "words",
    [
        ("programme", "show", "nix"),
        ("user", "list", "--programme", "nix"),
        ("user", "show", "--programme", "nix", "--membership-no", "1"),
        ("integration", "list", "--programme", "nix"),
        ("integration", "export", "--programme", "nix"),
    ],
)
def test_a_programme_that_is_not_there_is_said_in_one_line(terminal: Terminal, words: tuple[str, ...]) -> None:
    (line,) = terminal.fails(*words)
    assert line.startswith("There is no programme called 'nix'.")


class TestStaff:
    """`flask staff …`."""

    def test_a_new_admin_gets_a_link_that_sets_the_password(self, terminal: Terminal, acme: Programme) -> None:
        printed = terminal.run(
            "staff", "create", "--email", "ann@acme.example", "--name", "Ann", "--role", "admin", "--programme", "acme"
        )
        link = printed.splitlines()[-1]
        found = re.fullmatch(r"http://127\.0\.0\.1:8000/manager/password/(\S+)", link)
        assert found
        session = terminal.session
        invited = staff_accounts.staff_of_link(session, found[1], now=utcnow())
        assert invited is not None
        new = staff_accounts.check_password(session, invited, PASSWORD)
        assert staff_accounts.set_password_by_link(session, found[1], new, now=utcnow())
        person = staff_accounts.authenticate(session, "ANN@acme.example", PASSWORD)
        assert person is not None
        assert staff_accounts.programmes_of(session, person) == [acme]

    def test_a_new_link_ends_the_one_before(self, terminal: Terminal, acme: Programme) -> None:
        first = terminal.json("staff", "create", "--email", "ann@acme.example", "--programme", "acme")
        second = terminal.json("staff", "link", "--email", "ANN@acme.example")
        assert first["name"] == "ann"
        for data, works in ((first, False), (second, True)):
            token = data["link"].rpartition("/")[2]
            assert (staff_accounts.staff_of_link(terminal.session, token, now=utcnow()) is not None) is works
        assert "/manager/password/" in terminal.run("staff", "link", "--email", "ann@acme.example")

    def test_a_password_can_come_from_the_environment(
        self, terminal: Terminal, acme: Programme, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ANN_PASSWORD", PASSWORD)
        words = ("staff", "create", "--email", "ann@acme.example", "--programme", "acme", "--password-env")
        printed = terminal.run(*words, "ANN_PASSWORD")
        assert PASSWORD not in printed
        assert "/manager/password/" not in printed
        assert staff_accounts.authenticate(terminal.session, "ann@acme.example", PASSWORD)

    @pytest.mark.parametrize("password", ["short", "a" * 30, "abcdef" * 50])
    def test_a_bad_password_creates_nobody(
        self, terminal: Terminal, acme: Programme, monkeypatch: pytest.MonkeyPatch, password: str
    ) -> None:
        monkeypatch.setenv("ANN_PASSWORD", password)
        words = ("staff", "create", "--email", "ann@acme.example", "--programme", "acme", "--password-env")
        (error,) = terminal.fails(*words, "ANN_PASSWORD")
        assert error.startswith("--password-env: the password in ANN_PASSWORD")
        assert terminal.session.scalars(select(Staff)).all() == []

    def test_all_that_is_wrong_is_told_at_once(self, terminal: Terminal) -> None:
        errors = terminal.fails(
            "staff", "create", "--email", "ann", "--name", "x" * 101, "--programme", "nix", "--password-env", "NOPE"
        )
        assert [line.partition(":")[0] for line in errors] == ["--email", "--name", "--programme", "--password-env"]
        (missing,) = terminal.fails("staff", "create", "--email", "ann@acme.example")
        assert missing == "--programme: an admin needs at least one programme."

    def test_an_address_is_given_once(self, terminal: Terminal, acme: Programme) -> None:
        words = ("staff", "create", "--email", "ann@acme.example", "--programme", "acme")
        terminal.run(*words)
        assert "has access already" in terminal.fails(*words)[0]

    def test_support_and_operators_see_everything(self, terminal: Terminal, acme: Programme) -> None:
        terminal.run("staff", "create", "--email", "sam@rewards.example", "--role", "support", "--programme", "acme")
        assert terminal.errors == ["Note: support sees every programme, so --programme is not needed."]
        assert "all" in terminal.run("staff", "list")

    def test_the_list(self, terminal: Terminal, make: Factory, acme: Programme) -> None:
        assert terminal.run("staff", "list") == ""
        make.staff(acme, make.programme("globex"), email="ann@acme.example")
        (listed,) = terminal.json("staff", "list")
        assert (listed["programmes"], listed["has_password"]) == (["acme", "globex"], True)
        assert "acme, globex" in terminal.run("staff", "list")

    def test_access_is_granted_revoked_and_taken_away(self, terminal: Terminal, make: Factory, acme: Programme) -> None:
        person, globex = make.staff(acme, email="ann@acme.example"), make.programme("globex")
        terminal.run("staff", "grant", "ANN@acme.example", "--programme", "globex")
        assert set(staff_accounts.programmes_of(terminal.session, person)) == {acme, globex}
        assert "does not run acme" in terminal.run("staff", "revoke", "ann@acme.example", "--programme", "acme")
        assert staff_accounts.programmes_of(terminal.session, person) == [globex]
        assert "no grant" in terminal.fails("staff", "revoke", "ann@acme.example", "--programme", "acme")[0]
        make.staff_session(person)
        assert "1 session ended" in terminal.run("staff", "deactivate", "ann@acme.example")
        assert staff_accounts.authenticate(terminal.session, "ann@acme.example", PASSWORD) is None
        assert "deactivated" in terminal.run("staff", "list")
        terminal.run("staff", "reactivate", "ann@acme.example")
        assert staff_accounts.authenticate(terminal.session, "ann@acme.example", PASSWORD) is not None
        assert "has access already" in terminal.fails("staff", "reactivate", "ann@acme.example")[0]
        tags = list(terminal.session.scalars(select(AuditEvent.tag).order_by(AuditEvent.id)))
        assert tags[-5:] == [
            "staff:granted", "staff:revoked", "staff:signed-in", "staff:deactivated", "staff:reactivated",
        ]  # fmt: skip

    def test_support_needs_no_grant(self, terminal: Terminal, make: Factory, acme: Programme) -> None:
        make.staff(role=Role.SUPPORT, email="sam@rewards.example")
        assert (
            "sees every programme" in terminal.fails("staff", "grant", "sam@rewards.example", "--programme", "acme")[0]
        )

    def test_all_sessions_of_somebody_are_ended(self, terminal: Terminal, make: Factory, acme: Programme) -> None:
        person = make.staff(acme, email="ann@acme.example")
        make.staff_session(person)
        make.staff_session(person)
        assert "2 sessions ended" in terminal.run("staff", "sign-out", "ann@acme.example")
        assert terminal.session.query(StaffSession).count() == 0

    def test_a_lost_second_factor_is_reset(self, terminal: Terminal, make: Factory, acme: Programme) -> None:
        person = make.staff(acme, email="ann@acme.example")
        assert "without a second step" in terminal.fails("staff", "reset-second-factor", "ann@acme.example")[0]
        person.second_factor_at = utcnow()
        make.staff_session(person)
        terminal.run("staff", "reset-second-factor", "ann@acme.example")
        assert not person.has_second_factor
        assert terminal.session.query(StaffSession).count() == 0
        event = terminal.session.scalars(select(AuditEvent).where(AuditEvent.tag == "staff:second-step-reset")).one()
        assert (event.actor_kind, event.programme_id) == ("command-line", acme.id)

    @pytest.mark.parametrize("command", ["deactivate", "reactivate", "sign-out", "reset-second-factor"])
    def test_somebody_unknown_is_said_in_one_line(self, terminal: Terminal, command: str) -> None:
        (line,) = terminal.fails("staff", command, "x@acme.example")
        assert line.startswith("There is nobody with the address")

    def test_nobody_gets_no_link(self, terminal: Terminal) -> None:
        assert "nobody with access" in terminal.fails("staff", "link", "--email", "x@acme.example")[0]


class TestUsers:
    """`flask user …`."""

    def test_the_list_as_json_is_the_public_form(self, terminal: Terminal, make: Factory, acme: Programme) -> None:
        make.user(acme, membership_no="0042", email="zoe@acme.example", first_name="Zoë", date_of_birth="")
        make.user(make.programme("globex"))
        assert terminal.json("user", "list", "--programme", "acme") == [
            {
                "membership_no": "0042",
                "email": "zoe@acme.example",
                "first_name": "Zoë",
                "last_name": "Field",
                "date_of_birth": None,
                "status": "active",
                "source": "hand",
            }
        ]

    @pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
    def test_lists_of_any_length_are_whole(
        self, terminal: Terminal, make: Factory, acme: Programme, monkeypatch: pytest.MonkeyPatch, count: int
    ) -> None:
        monkeypatch.setattr("rgapp.cli.users.BATCH", 2)
        numbers = [f"N{number}" for number in range(count)]
        for number in numbers:
            make.user(acme, membership_no=number)
        listed = terminal.json("user", "list", "--programme", "acme")
        assert [each["membership_no"] for each in listed] == numbers
        assert len(terminal.run("user", "list", "--programme", "acme").splitlines()) == count + 1

    def test_by_status(self, terminal: Terminal, make: Factory, acme: Programme) -> None:
        for number in ("1", "2"):
            make.user(acme, membership_no=number)
        terminal.run("user", "deactivate", "--programme", "acme", "--membership-no", "2")
        listed = terminal.json("user", "list", "--programme", "acme", "--status", "leaver")
        assert [each["membership_no"] for each in listed] == ["2"]

    def test_one_user_with_where_each_detail_came_from(
        self, terminal: Terminal, make: Factory, acme: Programme
    ) -> None:
        make.user(acme, membership_no="E1", date_of_birth="")
        shown = terminal.json(*USER, "E1")
        assert shown["gaps"] == {"date_of_birth": "empty"} or shown["gaps"] == {"date_of_birth": "missing"}
        assert shown["field_sources"]["email"] == "A test"
        assert "status: active" in terminal.run(*USER, "E1")

    def test_created_by_hand(self, terminal: Terminal, acme: Programme) -> None:
        printed = terminal.run(
            "user", "create", "--programme", "acme", "--membership-no", "E1", "--email", "jane@acme.example",
            "--first-name", "Jane", "--last-name", "Carter", "--date-of-birth", "1990-04-03",
        )  # fmt: skip
        assert printed == "Created Jane Carter (E1).\n"
        assert terminal.json(*USER, "E1")["date_of_birth"] == "1990-04-03"
        assert len(terminal.session.scalars(select(OutboxMail)).all()) == 1

    def test_all_that_is_wrong_with_a_user_is_told_at_once(
        self, terminal: Terminal, make: Factory, acme: Programme
    ) -> None:
        errors = terminal.fails(
            "user", "create", "--programme", "acme", "--membership-no", " ", "--email", "jane", "--first-name", "R2D2",
            "--date-of-birth", "1990-02-31",
        )  # fmt: skip
        assert [line.partition(":")[0] for line in errors] == [
            "--membership-no",
            "--email",
            "--first-name",
            "--date-of-birth",
        ]
        make.user(acme, membership_no="E1", email="jane@acme.example")
        words = ("user", "create", "--programme", "acme", "--membership-no")
        (taken,) = terminal.fails(*words, "E1", "--email", "other@acme.example")
        assert taken == "--membership-no: E1 is Robin Field already."
        (conflict,) = terminal.fails(*words, "E2", "--email", "Jane@acme.example")
        assert conflict == "Refused because the e-mail address belongs to another Membership No. (Robin Field (E1))."

    def test_deactivate_and_reactivate_say_what_they_did(
        self, terminal: Terminal, make: Factory, acme: Programme
    ) -> None:
        make.user(acme, membership_no="E1")
        printed = [
            terminal.run("user", verb, "--programme", "acme", "--membership-no", "E1")
            for verb in ("deactivate", "deactivate", "reactivate", "reactivate")
        ]
        assert printed == [
            "Deactivated Robin Field (E1).\n",
            "Robin Field (E1) is a leaver already: unchanged.\n",
            "Reactivated Robin Field (E1).\n",
            "Robin Field (E1) is active already: unchanged.\n",
        ]
        actors = terminal.session.scalars(select(AuditEvent.actor_kind).where(AuditEvent.tag == "user:deactivated"))
        assert actors.all() == ["command-line"]

    def test_a_lost_address_is_mentioned(self, terminal: Terminal, make: Factory, acme: Programme) -> None:
        make.user(acme, membership_no="E1", email="jane@acme.example")
        terminal.run("user", "deactivate", "--programme", "acme", "--membership-no", "E1")
        make.user(acme, membership_no="E2", email="jane@acme.example")
        terminal.run("user", "reactivate", "--programme", "acme", "--membership-no", "E1")
        assert "no e-mail address" in terminal.errors[0]

    @pytest.mark.parametrize("verb", ["show", "deactivate", "reactivate"])
    def test_nobody_is_said_in_one_line(self, terminal: Terminal, acme: Programme, make: Factory, verb: str) -> None:
        make.user(make.programme("globex"), membership_no="E1")
        (line,) = terminal.fails("user", verb, "--programme", "acme", "--membership-no", "E1")
        assert line == "--membership-no: nobody in acme has the Membership No. 'E1'."


def test_waiting_mail_is_sent(terminal: Terminal, make: Factory, acme: Programme) -> None:
    make.user(acme, welcome_email=True)
    terminal.session.execute(OutboxMail.__table__.update().values(due_at=utcnow()))
    assert terminal.run("mail", "send") == "Sent 1 mail.\n"
    assert terminal.run("mail", "send") == "Sent 0 mails.\n"


def test_a_database_that_is_not_migrated_is_said_in_one_line(terminal: Terminal) -> None:
    terminal.session.execute(User.__table__.delete())
    terminal.session.commit()
    terminal.session.execute(text("DROP TABLE staff_grants"))
    (line,) = terminal.fails("staff", "list")
    assert "flask db upgrade" in line


def test_a_refused_configuration_is_said_in_one_line(tmp_path: Path) -> None:
    """Start the real command: the application itself cannot be made."""
    environment = {
        "PATH": os.environ["PATH"],
        "INSTANCE": str(tmp_path),
        "RGAPP_ENV": "production",
        "RGAPP_BASE_URL": "https://rewards.example",
    }
    done = subprocess.run(
        [sys.executable, "-m", "flask", "programme", "list"], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "RGAPP_SECRET_KEY must be set." in line


def test_json_is_alone_on_stdout(terminal: Terminal, acme: Programme) -> None:
    assert json.loads(terminal.run("user", "list", "--programme", "acme", "--json")) == []
