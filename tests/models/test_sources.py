"""Who gave which field: kept short, read as it was, old rows included."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from rgapp.models import User
from rgapp.models.sources import pack, unpack
from tests.factories import Factory

SOURCE = st.fixed_dictionaries(
    {"source": st.sampled_from(["scim", "sftp"]), "name": st.sampled_from(["Entra", "", "é"])}
)
SOURCES = st.dictionaries(st.sampled_from(["membership_no", "email", "first_name", "last_name"]), SOURCE)


@given(SOURCES)
def test_what_is_kept_comes_back_and_names_each_source_once(sources: dict[str, Any]) -> None:
    kept = json.loads(json.dumps(pack(sources)))
    assert unpack(kept) == sources
    named = [json.dumps(source, sort_keys=True) for source, _ in kept]
    assert len(named) == len(set(named))


def test_rows_of_either_form_are_read_alike(session: Session, make: Factory) -> None:
    user = make.user(make.programme())
    given = {"source": "sftp", "name": "Payroll"}
    user.field_sources = {"email": given, "last_name": given}
    session.commit()
    kept = session.scalar(text("SELECT field_sources FROM users"))
    assert (json.loads(kept) if isinstance(kept, str) else kept) == [[given, ["email", "last_name"]]]
    before = json.dumps(user.field_sources)
    session.execute(text("UPDATE users SET field_sources = :before"), {"before": before})
    session.commit()
    assert session.scalars(select(User.field_sources)).one() == {"email": given, "last_name": given}
