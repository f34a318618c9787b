"""Programme: the tenant, one client company's branded site."""

import uuid
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base, new_id


class Region(StrEnum):
    """Where a programme is; it decides the usual order of day and month in dates."""

    INTERNATIONAL = "international"
    US = "us"

    @property
    def date_format(self) -> str:
        """Return the strptime format that people of this region usually write."""
        return "%m/%d/%Y" if self is Region.US else "%d/%m/%Y"


class Colour(StrEnum):
    """The palette a programme chooses its colour from; each is checked for contrast in light and dark."""

    INDIGO = "indigo"
    TEAL = "teal"
    CRIMSON = "crimson"
    FOREST = "forest"
    SLATE = "slate"
    AMBER = "amber"


class Programme(Base):
    """One client company's programme; `id` is also the programme GUID of the SCIM base URL."""

    __tablename__ = "programmes"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    region: Mapped[Region] = mapped_column(String(20), default=Region.INTERNATIONAL)
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    contact_name: Mapped[str] = mapped_column(String(100), default="")
    contact_email: Mapped[str] = mapped_column(String(200), default="")
    colour: Mapped[Colour] = mapped_column(String(20), default=Colour.INDIGO)
    password_sign_in: Mapped[bool] = mapped_column(default=False)
    second_factor_required: Mapped[bool] = mapped_column(default=False)
    guard_percent: Mapped[int] = mapped_column(default=10)
    guard_people: Mapped[int] = mapped_column(default=5)
    guard_second_person: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone in which this programme's people read times."""
        return ZoneInfo(self.timezone)

    @property
    def usual_date_format(self) -> str:
        """Return the region's usual date format; the column holds plain text, so it is read as a Region here."""
        return Region(self.region).date_format
