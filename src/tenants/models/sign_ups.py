"""Businesses that somebody has asked for and nobody has proved an address for yet."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from src.platform.db import Base, Directory


class SignUp(Directory, Base):
    """A slug that is kept for whoever follows the mailed link, with all that was asked for.

    It is written for known and unknown addresses alike, and is nobody's business until then.
    """

    __tablename__ = "sign_ups"
    __table_args__ = (
        UniqueConstraint("slug", name="uq_sign_ups_slug"),
        CheckConstraint("email = lower(btrim(email))", name="email_normalised"),
        Index("ix_sign_ups_expires_at", "expires_at"),
    )

    slug: Mapped[str]
    business_name: Mapped[str]
    timezone: Mapped[str]
    currency: Mapped[str]
    country: Mapped[str]
    locale: Mapped[str]
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
