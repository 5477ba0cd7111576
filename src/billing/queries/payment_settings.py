"""How a business lets its guests pay, as it has chosen."""

from collections.abc import Sequence

from sqlalchemy import select

from src.billing.domain.transfers import TransferTerms
from src.billing.models import PaymentSettings
from src.platform.db.uow import UnitOfWork


async def find_payment_settings(uow: UnitOfWork) -> PaymentSettings | None:
    found: PaymentSettings | None = await uow.session.scalar(
        select(PaymentSettings).where(PaymentSettings.tenant_id == uow.tenant)
    )
    return found


async def find_transfer_terms(uow: UnitOfWork) -> TransferTerms | None:
    """Of bank transfers, while the business takes them."""
    row = await find_payment_settings(uow)
    return transfer_terms(row) if row is not None and row.takes_transfers else None


async def find_transfer_account(uow: UnitOfWork) -> TransferTerms | None:
    """The account for who was told to pay to it, also where nobody else may any more."""
    row = await find_payment_settings(uow)
    return transfer_terms(row) if row is not None and row.iban else None


async def list_page_methods(uow: UnitOfWork) -> Sequence[str]:
    """By what the payment page may be paid beside cards, as chosen."""
    row = await find_payment_settings(uow)
    return row.methods if row is not None else ()


def transfer_terms(row: PaymentSettings) -> TransferTerms:
    return TransferTerms(
        holder=row.holder,
        iban=row.iban,
        bic=row.bic,
        days=row.transfer_days,
        lead_days=row.transfer_lead_days,
        text=row.transfer_text,
    )
