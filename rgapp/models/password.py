"""Hashes of the passwords that somebody had, so that none of the last ones comes back."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base, new_id


class StaffPassword(Base):
    """One password that a staff member has or had."""

    __tablename__ = "staff_passwords"

    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    password_hash: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime]


class UserPassword(Base):
    """One password that an employee has or had in a programme."""

    __tablename__ = "user_passwords"
    __table_args__ = (ForeignKeyConstraint(["programme_id", "user_id"], ["users.programme_id", "users.id"]),)

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    password_hash: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime]
