"""Where each attribute of a resource stands in the database: in a column, in the folded JSON, or in memberships."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from inspect import isclass
from typing import Any

from scim2_models import AttributeBinding, BaseModel, Extension, InvalidFilterException
from sqlalchemy import ColumnElement, FromClause, String, and_, case, cast, exists, false, literal, select, true

from rgapp.models import SCIMGroup, SCIMGroupMember, SCIMUser, User, UserStatus
from rgapp.scim.json_sql import JSONSQL

USERS, GROUPS = SCIMUser.__table__.c, SCIMGroup.__table__.c
MEMBERS, PEOPLE = SCIMGroupMember.__table__, User.__table__


@dataclass(frozen=True)
class Scalar:
    """A single value: NULL where there is none, a string in the form that is compared.

    `kind` is str, bool or datetime; `sorts` tells that the column is ordered by code point already; `identifier` is
    the column of an identifier, which is compared as one; `whole` tells that a value is always there.
    """

    value: ColumnElement[Any]
    kind: type = str
    sorts: bool = False
    identifier: ColumnElement[Any] | None = None
    whole: bool = False


@dataclass(frozen=True)
class Fixed:
    """A value that is the same for every resource of a type."""

    value: str


@dataclass(frozen=True)
class Complex:
    """A complex attribute with one value."""

    there: ColumnElement[bool]
    present: ColumnElement[bool]


@dataclass(frozen=True)
class Many:
    """The entries of a multi-valued attribute, as rows that belong to the resource.

    `sub` gives a sub-attribute of an entry by its SCIM name, None for an entry that is a string itself; `place` orders
    the entries; `present` tells whether an entry holds anything, `primary` whether it is the primary one.
    """

    rows: FromClause
    belongs: ColumnElement[bool]
    sub: Callable[[str | None], Scalar | Fixed]
    place: ColumnElement[Any]
    present: ColumnElement[bool]
    primary: ColumnElement[bool] | None = None

    def any(self, condition: ColumnElement[bool]) -> ColumnElement[bool]:
        """Tell whether an entry fulfils a condition."""
        return exists().select_from(self.rows).where(and_(self.belongs, condition))

    @property
    def there(self) -> ColumnElement[bool]:
        """Tell whether there is an entry."""
        return self.any(true())


Place = Scalar | Fixed | Complex | Many


@dataclass
class Attributes:
    """The places of the attributes of one resource type on one database.

    `of_people` becomes True when a place is in the users' own table, which a query then has to join.
    """

    kind: str
    sql: JSONSQL
    of_people: bool = field(default=False)

    @property
    def table(self) -> Any:
        """Return the columns of the resources of this type."""
        return USERS if self.kind == "User" else GROUPS

    @property
    def identifier(self) -> ColumnElement[Any]:
        """Return the column of the `id`."""
        return USERS.user_id if self.kind == "User" else GROUPS.id

    def place_of(self, binding: AttributeBinding) -> Place:
        """Return where an attribute stands.

        Raises `InvalidFilterException` for one that cannot be compared.
        """
        name = binding.model._scim_name(binding.field_name)
        sub = self.sub_name(binding)
        if isclass(binding.model) and issubclass(binding.model, Extension):
            return self._in_document(binding, str(binding.model.__schema__), name)
        if name == "meta":
            return self._meta(sub)
        own = getattr(self, f"_{self.kind}_{name}".lower(), None)
        if own is not None:
            place: Place = own()
            return place
        if name == "id":
            return self._identifier(self.identifier)
        if name == "externalId":
            return Scalar(self.table.external_id, sorts=True)
        return self._in_document(binding, name)

    @staticmethod
    def sub_name(binding: AttributeBinding) -> str | None:
        """Return the SCIM name of the sub-attribute that a path names, None where it names none."""
        if binding.sub_field_name is None:
            return None
        holder = binding.target_model
        return holder._scim_name(binding.sub_field_name) if holder is not None else None

    def _user_username(self) -> Scalar:
        return Scalar(USERS.user_name_key, sorts=True, whole=True)

    def _group_displayname(self) -> Scalar:
        return Scalar(GROUPS.display_key, sorts=True, whole=True)

    def _user_password(self) -> Place:
        raise InvalidFilterException(detail="'password' is not kept here and cannot be compared")

    def _user_active(self) -> Scalar:
        self.of_people = True
        return Scalar(case((PEOPLE.c.status == UserStatus.ACTIVE, true()), else_=false()), bool, whole=True)

    def _user_groups(self) -> Many:
        member, group = MEMBERS.alias(), SCIMGroup.__table__.alias()

        def sub(name: str | None) -> Scalar | Fixed:
            if name == "value":
                return self._identifier(member.c.group_id)
            if name == "display":
                return Scalar(group.c.display_key, sorts=True)
            if name == "type":
                return Fixed("direct")
            raise InvalidFilterException(detail=f"'groups.{name}' cannot be compared")

        rows = member.join(group, and_(group.c.programme_id == member.c.programme_id, group.c.id == member.c.group_id))
        belongs = and_(
            member.c.programme_id == USERS.programme_id,
            member.c.user_id == USERS.user_id,
            group.c.integration_id == USERS.integration_id,
        )
        return Many(rows, belongs, sub, member.c.group_id, true())

    def _group_members(self) -> Many:
        member, user = MEMBERS.alias(), SCIMUser.__table__.alias()

        def sub(name: str | None) -> Scalar | Fixed:
            if name == "value":
                return self._identifier(member.c.user_id)
            if name == "type":
                return Fixed("user")
            raise InvalidFilterException(detail=f"'members.{name}' cannot be compared")

        rows = member.join(user, and_(user.c.programme_id == member.c.programme_id, user.c.user_id == member.c.user_id))
        belongs = and_(
            member.c.programme_id == GROUPS.programme_id,
            member.c.group_id == GROUPS.id,
            user.c.integration_id == GROUPS.integration_id,
        )
        return Many(rows, belongs, sub, member.c.user_id, true())

    def _identifier(self, column: ColumnElement[Any]) -> Scalar:
        return Scalar(self.sql.uuid_text(column), sorts=True, identifier=column, whole=True)

    def _meta(self, sub: str | None) -> Place:
        if sub == "created":
            return Scalar(self.table.created_at, datetime, whole=True)
        if sub == "lastModified":
            return Scalar(self.table.updated_at, datetime, whole=True)
        if sub == "resourceType":
            return Fixed(self.kind)
        if sub == "version":
            return Scalar(self._version(), whole=True)
        if sub is None:
            return Complex(true(), true())
        raise InvalidFilterException(detail=f"'meta.{sub}' cannot be compared")

    def _version(self) -> ColumnElement[Any]:
        number = cast(self.table.version, String)
        end: ColumnElement[Any] = literal('"')
        if self.kind == "User":
            self.of_people = True
            end = case((PEOPLE.c.status == UserStatus.ACTIVE, '"'), else_='-inactive"')
        return literal('W/"').op("||")(number).op("||")(end)

    def _in_document(self, binding: AttributeBinding, *path: str) -> Place:
        document, sub = self.table.search, self.sub_name(binding)
        if binding.is_multivalued:
            return self._entries(document, path)
        if sub is not None:
            path = (*path, sub)
        kind = binding.target_type
        if isclass(kind) and issubclass(kind, BaseModel):
            return Complex(self.sql.exists(document, *path), self.sql.filled(document, *path))
        if kind is bool:
            return Scalar(self.sql.boolean(document, *path), bool)
        return Scalar(self.sql.text(document, *path))

    def _entries(self, document: ColumnElement[Any], path: tuple[str, ...]) -> Many:
        each = self.sql.entries(document, *path)

        def sub(name: str | None) -> Scalar | Fixed:
            if name is None:
                return Scalar(self.sql.own_text(each.entry))
            if name == "primary":
                return Scalar(self.sql.boolean(each.entry, name), bool)
            return Scalar(self.sql.text(each.entry, name))

        if path == ("schemas",):
            return Many(each.rows, true(), sub, each.place, self.sql.own_text(each.entry) != "")
        primary = self.sql.boolean(each.entry, "primary")
        return Many(each.rows, true(), sub, each.place, self.sql.filled(each.entry), primary)

    @staticmethod
    def first_of(place: Many, sub: Scalar | Fixed) -> ColumnElement[Any] | None:
        """Return a sub-attribute of the entry by which resources are sorted: the primary one, or else the first."""
        if isinstance(sub, Fixed):
            return None
        order = [place.place] if place.primary is None else [case((place.primary, 0), else_=1), place.place]
        chosen = select(sub.value).select_from(place.rows).where(place.belongs).order_by(*order).limit(1)
        return chosen.scalar_subquery()
