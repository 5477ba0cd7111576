"""How a business lets its guests pay."""

from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped


class PaymentSettings(TenantScoped, Base):
    """One row a business, none until it has chosen something.

    The account stays when transfers are turned off, for who has been told of it. `methods` are
    those of the payment page, beside cards.
    """

    __tablename__ = "payment_settings"
    __table_args__ = (
        UniqueConstraint("tenant_id", name="uq_payment_settings_tenant_id"),
        CheckConstraint("NOT takes_transfers OR (holder <> '' AND iban <> '')", name="account"),
        CheckConstraint("transfer_days > 0 AND transfer_lead_days > 0", name="days"),
    )

    takes_transfers: Mapped[bool] = mapped_column(default=False)
    holder: Mapped[str] = mapped_column(default="")
    iban: Mapped[str] = mapped_column(default="")
    bic: Mapped[str] = mapped_column(default="")
    transfer_days: Mapped[int] = mapped_column(default=7)
    transfer_lead_days: Mapped[int] = mapped_column(default=2)
    transfer_text: Mapped[str] = mapped_column(default="")
    methods: Mapped[list[Any]] = mapped_column(default=list)
