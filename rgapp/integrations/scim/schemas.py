"""What we publish (RFC 7643 sections 4 to 8): User with its extensions, Group, and what the service can do."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import Field
from scim2_models import (
    URN,
    AnyExtension,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    Filter,
    Mutability,
    Pagination,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    Schema,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
)
from scim2_models import User as StandardUser
from scim2_models.resources.user import Email as StandardEmail

from rgapp.integrations.scim import paths

MEBIBYTE: Final = 1024 * 1024
#: Clients send some hundred operations at a time; each is a person, with an event and perhaps a mail.
MAX_OPERATIONS: Final = 1000
MAX_PAYLOAD: Final = MEBIBYTE
#: The most resources of one page.
MAX_RESULTS: Final = 200
DEFAULT_PAGE: Final = 100
CURSOR_SECONDS: Final = 24 * 3600

USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PERSON: Final = "urn:rgapp:params:scim:schemas:extension:person:2.0:User"


class Email(StandardEmail):
    """An e-mail address as the client has it; whether it is one, provisioning says of the one that is mapped."""

    value: str | None = None
    """An e-mail address."""


class User(StandardUser[AnyExtension]):
    """User (RFC 7643 section 4.1).

    An address that is none refuses nothing here: it must keep nobody from being taken out.
    """

    emails: list[Email] | None = None  # type: ignore[assignment]  # The narrower type is what is widened here.
    """E-mail addresses of the user."""


class Manager(ComplexAttribute):
    """The manager as the client names them; nothing is looked up."""

    value: Annotated[str | None, CaseExact.true] = None
    """The identifier of the manager."""

    ref: Annotated[Reference[StandardUser[Any]] | None, Mutability.read_write] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of the manager's resource."""

    display_name: Annotated[str | None, Mutability.read_only] = None
    """The manager's name."""


class EnterpriseUser(Extension):
    """Enterprise User (RFC 7643 section 4.3). Its manager may come without `$ref`, as clients send it."""

    __schema__ = URN(ENTERPRISE)

    employee_number: str | None = None
    """The identifier that the organization gives the person."""

    cost_center: str | None = None
    """The name of a cost centre."""

    organization: str | None = None
    """The name of an organization."""

    division: str | None = None
    """The name of a division."""

    department: str | None = None
    """The name of a department."""

    manager: Manager | None = None
    """The person's manager."""


class Person(Extension):
    """What a rewards programme needs of a person and RFC 7643 has no attribute for."""

    __schema__ = URN(PERSON)

    date_of_birth: str | None = None
    """The date of birth, for example 1990-04-03; the mapping says in which format it comes."""


class Member(ComplexAttribute):
    """One user in a group; groups in groups are not kept."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """The identifier of the user."""

    ref: Annotated[Reference[StandardUser[Any]] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of the user."""

    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    """The type of the member, always User."""

    display: Annotated[str | None, Mutability.read_only] = None
    """A name for the user; clients send it, and it is not kept."""


class Group(Resource[Any]):
    """Group (RFC 7643 section 4.2)."""

    __schema__ = URN(GROUP)

    display_name: Annotated[str | None, Required.true] = None
    """The name of the group."""

    members: list[Member] | None = None
    """The users in the group."""


SCIMUserModel: type[Resource[Any]] = User[EnterpriseUser | Person]

#: A deviation that is understood without a doubt: Microsoft Entra's paths to values that do not exist yet
#: (`emails[type eq "work"].value`). Its removal by value is bridged: under the library's own policy an entry such as
#: `{"$ref": null}` would remove everybody without a reference, and one that matches nobody would count as done.
POLICY: Final = ScimPolicy(unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create)


class Provider(ScimProvider):
    """The description of the service for one integration: what its mapping needs is published as required."""

    def __init__(self, needed: frozenset[str]) -> None:
        types = [ResourceType.from_resource(SCIMUserModel), ResourceType.from_resource(Group)]
        super().__init__([User, EnterpriseUser, Person, Group], types, config(), POLICY)
        self._published = tuple(_with_required(schema, needed) for schema in super().schemas)

    @property
    def schemas(self) -> tuple[Schema, ...]:
        """Return what `/Schemas` publishes.

        The models themselves refuse nothing for it: who leaves is taken out even when mandatory values are missing.
        """
        return self._published


@lru_cache(maxsize=200)
def provider_for(needed: frozenset[str]) -> Provider:
    """Return the description of a service whose mapping needs these attribute paths."""
    return Provider(needed)


def config() -> ServiceProviderConfig:
    """Return what the service can do (RFC 7643 section 5)."""
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=True, max_operations=MAX_OPERATIONS, max_payload_size=MAX_PAYLOAD),
        filter=Filter(supported=True, max_results=MAX_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        pagination=Pagination(
            cursor=True,
            index=True,
            default_pagination_method=Pagination.DefaultPaginationMethod.index,
            default_page_size=DEFAULT_PAGE,
            max_page_size=MAX_RESULTS,
            cursor_timeout=CURSOR_SECONDS,
        ),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Bearer token",
                description="A token that an admin of the programme issues on the Integrations Dashboard.",
                spec_uri=Reference("https://www.rfc-editor.org/rfc/rfc6750"),
                primary=True,
            )
        ],
    )


def needed_by(mapped: Iterable[str]) -> frozenset[str]:
    """Return the paths that have to be there for these mapped attributes, as `/Schemas` can name them.

    A condition in brackets (`emails[primary eq true].value`) needs the attribute itself. Whether an account is active
    is always known: where a client does not say it, it is.
    """
    needed = {f"{USER}:active".lower()}
    for text in mapped:
        path = paths.parse(text)
        whole = f"{path.urn or USER}:{path.name}".lower()
        needed |= {whole, f"{whole}.{path.sub}".lower()}
    return frozenset(needed)


def _with_required(schema: Schema, needed: frozenset[str]) -> Schema:
    copy = schema.model_copy(deep=True)
    for attribute in copy.attributes or []:
        whole = f"{copy.id}:{attribute.name}".lower()
        if whole in needed:
            attribute.required = Required.true
        for sub in attribute.sub_attributes or []:
            if f"{whole}.{sub.name}".lower() in needed:
                sub.required = Required.true
    return copy
