"""What is kept of guests on their way to their own pages."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped


class PortalCode(TenantScoped, Base):
    """One asking for a way in: when it ends, and how often it was tried.

    Neither the code, which is worked out (`domain/portal.py`), nor who asked is kept, so that the
    row is the same for known and unknown addresses.
    """

    __tablename__ = "portal_codes"
    __table_args__ = (
        CheckConstraint("tries >= 0", name="tries"),
        Index("ix_portal_codes_expires_at", "tenant_id", "expires_at"),
    )

    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]
