"""The plans of the list's queries: an index answers each, and nothing reads all the people."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.orm import Session

from rgapp import paging
from rgapp.integrations.registry import kind_of
from rgapp.models import Programme, SCIMGroup, SCIMGroupMember, User, UserStatus
from rgapp.models.base import new_id
from rgapp.provisioning import Source, batch_matching, matching
from rgapp.provisioning.cells import Line
from rgapp.provisioning.record import PersonRecord
from rgapp.users import groups, person, queries
from rgapp.users.queries import SORTS, Listing
from rgapp.users.scope import Scope, UserFilter
from tests.factories import Factory

FIRST = ("Jane", "Jan", "Noor", "Ada", "Björn", "Chen", "Dewi", "Edda")
LAST = ("Carter", "van der Berg", "Dupont-Carter", "Okafor", "Smith", "Nowak", "Li", "Jansen", "Byrne")
# Some pass each of them, and those who pass several are more than one would guess.
LARGE = [
    UserFilter(status=UserStatus.LEAVER),
    UserFilter(source=Source.SCIM),
    UserFilter(incomplete=True),
    UserFilter(status=UserStatus.LEAVER, source=Source.SCIM, incomplete=True),
]
FILTERS = [
    UserFilter(),
    UserFilter(status=UserStatus.LEAVER),
    UserFilter(source=Source.SCIM),
    UserFilter(incomplete=True),
    UserFilter(status=UserStatus.ACTIVE, source=Source.SAML, incomplete=True),
    UserFilter(search="j"),
    UserFilter(search="jane"),
    UserFilter(search="jane carter"),
    UserFilter(search="noor van der berg"),
    UserFilter(search="jan.17@"),
    UserFilter(search="E0017"),
    UserFilter(search="zzyzx"),
    UserFilter(search="jane zzyzx"),
    UserFilter(search="jane", status=UserStatus.LEAVER),
]


@pytest.fixture
def crowd(session: Session, make: Factory) -> list[Programme]:
    """Make four programmes with a thousand people each, and let the database count them."""
    programmes = [make.programme() for _ in range(4)]
    rows = [
        {
            "programme_id": programme.id,
            "id": new_id(),
            "membership_no": f"E{number:04}",
            "email": f"{FIRST[number % 8].lower()}.{number}@acme.example",
            "email_key": f"{FIRST[number % 8].lower()}.{number}@acme.example",
            "first_name": FIRST[number % 8],
            "last_name": LAST[number % 9],
            "first_key": FIRST[number % 8].casefold(),
            "last_key": LAST[number % 9].casefold(),
            "date_of_birth": date(1990, 4, 3),
            "status": UserStatus.LEAVER if number % 20 == 0 else UserStatus.ACTIVE,
            "source": Source.SCIM if number % 5 == 0 else Source.SAML,
            "incomplete": number % 50 == 0,
            "created_at": make.now,
            "updated_at": make.now,
        }
        for programme in programmes
        for number in range(1_000)
    ]
    session.execute(insert(User), rows)
    session.execute(text("ANALYZE"))
    session.commit()
    return programmes


@pytest.fixture
def group(session: Session, make: Factory, crowd: list[Programme]) -> SCIMGroup:
    """Put every seventh of the first programme's people into a group, and let the database count them."""
    programme = crowd[0]
    settings = kind_of("scim").new_draft("scim", programme)
    integration = make.integration(programme, settings, name="Entra", kind="scim", provider="scim")
    row = SCIMGroup(
        programme_id=programme.id,
        id=new_id(),
        integration_id=integration.id,
        display_name="Warehouse",
        display_key="warehouse",
        resource={},
        search={},
        created_at=make.now,
        updated_at=make.now,
    )
    session.add(row)
    session.flush()
    people = session.scalars(select(User.id).where(User.programme_id == programme.id).order_by(User.membership_no))
    keys = {"programme_id": programme.id, "group_id": row.id}
    session.execute(insert(SCIMGroupMember), [{**keys, "user_id": one} for one in people.all()[::7]])
    session.execute(text("ANALYZE"))
    session.commit()
    return row


@contextmanager
def statements(session: Session) -> Iterator[list[tuple[str, Any]]]:
    """Collect what is asked of the database inside the block."""
    sent: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *rest: Any) -> None:
        sent.append((statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(session.get_bind(), "before_cursor_execute", note)


def reads_everybody(session: Session, ask: Callable[[], object]) -> list[str]:
    """Return the plans in which users are read without the help of an index, of all that `ask` asks."""
    with statements(session) as sent:
        ask()
    assert sent
    connection = session.connection()
    on_sqlite = connection.dialect.name == "sqlite"
    if not on_sqlite:
        # Four thousand rows are read at once whatever indexes there are; this shows whether one could answer.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
    explain = "EXPLAIN QUERY PLAN " if on_sqlite else "EXPLAIN "
    plans = [[str(row[-1]) for row in connection.exec_driver_sql(explain + asked, values)] for asked, values in sent]
    return [line for plan in plans for line in (scans_of_sqlite(plan) if on_sqlite else scans_of_postgresql(plan))]


def forget_counts(session: Session) -> None:
    """Let SQLite know as little of the tables as it does where nobody had them counted."""
    session.execute(text("DELETE FROM sqlite_stat1"))
    session.execute(text("ANALYZE sqlite_schema"))
    session.commit()


def scans_of_sqlite(plan: list[str]) -> list[str]:
    """Return the lines that read all of the users, from the table or from an index."""
    return [line for line in plan if line.startswith("SCAN users")]


def scans_of_postgresql(plan: list[str]) -> list[str]:
    """Return the lines that read all of the users: those without a condition on an index."""
    return [
        line
        for line, following in zip(plan, [*plan[1:], ""], strict=True)
        if "Seq Scan on users" in line
        or ("Scan using" in line and " on users" in line and "Index Cond" not in following)
    ]


@pytest.mark.parametrize("wanted", FILTERS, ids=repr)
@pytest.mark.parametrize("width", [1, 4, None], ids=["one programme", "four programmes", "every programme"])
def test_a_page_with_its_counts_is_answered_by_indexes(
    session: Session, crowd: list[Programme], wanted: UserFilter, width: int | None
) -> None:
    scope = Scope(tuple(programme.id for programme in crowd[:width]) if width else None)

    def ask() -> None:
        listing = Listing(session, scope, wanted)
        listing.facets()
        first = listing.page()
        listing.page(after=first.next_cursor)

    assert reads_everybody(session, ask) == []


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_of_one_programme_is_answered_by_indexes(
    session: Session, crowd: list[Programme], sort: str
) -> None:
    def ask() -> None:
        listing = Listing(session, Scope((crowd[0].id,)), UserFilter())
        first = listing.page(sort)
        listing.page(sort, after=first.next_cursor)
        listing.page(sort, before=first.next_cursor)

    assert reads_everybody(session, ask) == []


@pytest.mark.sqlite  # PostgreSQL's plans write conditions out; those of SQLite say what the index seeks.
def test_a_deep_page_begins_in_the_index_where_it_stands(session: Session, crowd: list[Programme]) -> None:
    """The cursor is a condition of the index, not of rows that are read and left out."""
    listing = Listing(session, Scope((crowd[0].id,)), UserFilter())
    cursor = listing.page().next_cursor
    with statements(session) as sent:
        listing.page(after=cursor)
    asked, values = sent[-1]
    plan = [str(row[-1]) for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values)]
    index = "ix_users_programme_id_name (programme_id=? AND (last_key,first_key,id)>(?,?,?))"
    assert plan == [f"SEARCH users USING INDEX {index}"]


@pytest.mark.sqlite
@pytest.mark.parametrize("counted", [True, False], ids=["counted", "not counted"])
def test_a_page_of_many_under_a_filter_is_looked_for_by_name_and_few_are_found_by_kind(
    session: Session, crowd: list[Programme], monkeypatch: pytest.MonkeyPatch, *, counted: bool
) -> None:
    """Whatever SQLite knows of the table: with a look at the wrong index it would sort everybody who is active."""
    if not counted:
        forget_counts(session)
    plans = []
    for most in (0, 10_000):
        monkeypatch.setattr(queries, "MOST_SORTED", most)
        listing = Listing(session, Scope((crowd[0].id,)), UserFilter(status=UserStatus.ACTIVE))
        cursor = listing.page().next_cursor
        with statements(session) as sent:
            listing.page(after=cursor)
        asked, values = sent[-1]
        rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values)
        plans.append([str(row[-1]) for row in rows])
    by_name = "ix_users_programme_id_name (programme_id=? AND (last_key,first_key,id)>(?,?,?))"
    walk, *page = [line for line in plans[0] if "users" in line]
    assert walk == f"SEARCH users USING COVERING INDEX {by_name}"
    assert page == ["SEARCH users USING INDEX sqlite_autoindex_users_1 (programme_id=? AND id=?)"]
    by_kind = "ix_users_programme_id_kind (programme_id=? AND status=? AND source=? AND incomplete=?)"
    looks = [line for line in plans[1] if line.startswith("SEARCH users")]
    assert looks[:-1] == [f"SEARCH users USING INDEX {by_kind}"] * 3  # So many kinds are active.
    assert "(programme_id=? AND id=?)" in looks[-1]


@pytest.mark.postgresql
def test_postgresql_looks_up_few_by_kind_and_reads_nothing_else(session: Session, crowd: list[Programme]) -> None:
    """Once they were joined with their own rows, for which an index was read with everybody in it."""
    session.execute(text("SET LOCAL enable_seqscan = off"))  # Of a small table, reading all is right.
    listing = Listing(session, Scope((crowd[0].id,)), UserFilter(status=UserStatus.LEAVER))
    with statements(session) as sent:
        listing.page()
    statement, values = sent[-1]
    plan = [str(row[0]) for row in session.connection().exec_driver_sql(f"EXPLAIN {statement}", values)]
    reads = [line for line in plan if " on users" in line or "Bitmap Index Scan" in line]
    by_kind = [line for line in reads if "ix_users_programme_id_kind" in line]
    assert len(by_kind) == len([kind for kind in listing.kinds if kind.status == UserStatus.LEAVER])
    assert len([line for line in reads if "pk_users" in line]) == 1, plan  # The rows of the page.


@pytest.mark.sqlite
@pytest.mark.parametrize("wanted", [*LARGE, *({"status": status} for status in UserStatus)], ids=repr)
def test_a_large_filtered_list_or_group_is_walked_in_the_index_of_names_alone(
    session: Session, group: SCIMGroup, monkeypatch: pytest.MonkeyPatch, wanted: UserFilter | dict[str, UserStatus]
) -> None:
    """Of the table only the rows of the page are read, whatever is passed over before them."""
    monkeypatch.setattr(queries, "MOST_SORTED", 0)
    monkeypatch.setattr(groups, "MOST_READ", 1)
    monkeypatch.setattr(paging, "PAGE_SIZE", 5)
    asked = UserFilter(group=group.id, **wanted) if isinstance(wanted, dict) else wanted
    forget_counts(session)
    for sort in ("name", "-name"):
        listing = Listing(session, Scope((group.programme_id,)), asked)
        first = listing.page(sort)
        for cursor, sign in (({}, ""), ({"after": first.next_cursor}, ">"), ({"before": first.next_cursor}, "<")):
            with statements(session) as sent:
                listing.page(sort, **cursor)
            statement, values = sent[-1]
            rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            walk, page = [str(row[-1]) for row in rows if " users " in str(row[-1])]
            assert walk.startswith("SEARCH users USING COVERING INDEX ix_users_programme_id_name (programme_id=?")
            turned = {">": "<", "<": ">"}.get(sign, "") if sort == "-name" else sign
            assert sign == "" or f"(last_key,first_key,id){turned}(?,?,?)" in walk
            assert page == "SEARCH users USING INDEX sqlite_autoindex_users_1 (programme_id=? AND id=?)"


@pytest.mark.postgresql
@pytest.mark.parametrize("counted", [True, False], ids=["counted", "not counted"])
@pytest.mark.parametrize("wanted", LARGE, ids=repr)
def test_postgresql_sorts_no_large_kind_whatever_it_guesses(
    session: Session,
    crowd: list[Programme],
    monkeypatch: pytest.MonkeyPatch,
    wanted: UserFilter,
    *,
    counted: bool,
) -> None:
    """It would take people for few who pass several filters, and everybody while it has counted nobody yet."""
    monkeypatch.setattr(queries, "MOST_SORTED", 0)
    monkeypatch.setattr(paging, "PAGE_SIZE", 5)
    with session.get_bind().execution_options(isolation_level="AUTOCOMMIT").connect() as connection:  # type: ignore[union-attr]
        connection.execute(text("VACUUM users"))
        if not counted:
            connection.execute(text("DELETE FROM pg_statistic WHERE starelid = 'users'::regclass"))
    listing = Listing(session, Scope((crowd[0].id,)), wanted)
    cursor = listing.page().next_cursor
    for after in (None, cursor):
        with statements(session) as sent:
            listing.page(after=after)
        statement, values = sent[-1]
        plan = [str(row[0]) for row in session.connection().exec_driver_sql(f"EXPLAIN {statement}", values)]
        walk = next(at for at, line in enumerate(plan) if "Index Only Scan using ix_users_programme_id_name" in line)
        assert "Limit" in plan[walk - 1], plan  # Nothing stands between them that would need them all.
        assert not [line for line in plan if "ix_users_programme_id_kind" in line]


def test_looking_a_person_up_is_answered_by_indexes(session: Session, crowd: list[Programme]) -> None:
    programme = crowd[0]
    somebody = Listing(session, Scope((programme.id,)), UserFilter()).page().rows[0]
    session.expunge_all()

    def ask() -> None:
        person.get_user(session, programme, somebody.id)
        queries.find_attempt(session, Scope(None), "K7QD-2MXW")
        matching.find(session, programme.id, PersonRecord(membership_no="E0017", email="jan.17@acme.example"))

    assert reads_everybody(session, ask) == []


@pytest.mark.sqlite  # SQLite names what it seeks in an index.
@pytest.mark.parametrize("lock", [True, False])
def test_many_people_are_looked_up_by_their_keys(session: Session, crowd: list[Programme], *, lock: bool) -> None:
    """Those of a batch, and none of the others: to lock people in an order, the whole programme was once read."""
    forget_counts(session)
    somebody = Listing(session, Scope((crowd[0].id,)), UserFilter()).page().rows[0]
    told = Line(1, "E0017", "E0017", "jan.17@acme.example", None, None, None, None, True, somebody.id.hex)
    with statements(session) as sent:
        assert batch_matching.find_many(session, crowd[0].id, [told], lock=lock)
    plans = []
    for asked, values in sent:
        rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values)
        plans += [str(row[-1]) for row in rows if str(row[-1]).startswith("SEARCH users")]
    seeks = [plan[plan.index("(") :] for plan in plans]
    assert seeks == [f"(programme_id=? AND {column}=?)" for column in ("membership_no", "id", "email_key")]


@pytest.mark.parametrize(
    "wanted", [{}, {"status": UserStatus.LEAVER}, {"search": "jane"}, {"incomplete": True}], ids=repr
)
@pytest.mark.parametrize("most_read", [5_000, 10], ids=["small", "large"])
def test_the_people_of_a_group_are_found_by_indexes(
    session: Session,
    group: SCIMGroup,
    monkeypatch: pytest.MonkeyPatch,
    wanted: dict[str, Any],
    most_read: int,
) -> None:
    monkeypatch.setattr(groups, "MOST_READ", most_read)

    def ask() -> None:
        listing = Listing(session, Scope((group.programme_id,)), UserFilter(group=group.id, **wanted))
        listing.facets()
        first = listing.page()
        listing.page(after=first.next_cursor)
        groups.groups_of(session, group.programme_id)

    assert reads_everybody(session, ask) == []
