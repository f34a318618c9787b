"""Second factor of staff: the sealed secret, recovery codes, and sign-ins that wait for their second step."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base


class StaffSecondFactor(Base):
    """The secret that a staff member's authenticator app shares with us (RFC 6238), sealed.

    It counts once it is confirmed by a code; until then `begun_by` is the session that began. `last_step` is the time
    step of the newest code that was accepted: that code and older ones are refused from then on.
    """

    __tablename__ = "staff_second_factors"

    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    sealed_secret: Mapped[bytes]
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    begun_at: Mapped[datetime]
    begun_by: Mapped[str] = mapped_column(String(64))
    confirmed_at: Mapped[datetime | None]


class StaffRecoveryCode(Base):
    """A code that stands in for the authenticator app once; only its hash is kept."""

    __tablename__ = "staff_recovery_codes"

    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime | None]


class StaffChallenge(Base):
    """A browser that gave the right password and owes the second step; it is not signed in to anything."""

    __tablename__ = "staff_challenges"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    refused: Mapped[int] = mapped_column(default=0)
