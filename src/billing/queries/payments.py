"""How far a business is with getting paid."""

from src.billing.commands.connect import find_account
from src.billing.models import ConnectedAccount
from src.billing.views.payments import PaymentsPage, PayoutState
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


async def get_payments_page(uow: UnitOfWork, tenant: TenantSnapshot, fee_bp: int) -> PaymentsPage:
    account = await find_account(uow)
    return PaymentsPage(
        slug=tenant.slug,
        zone=tenant.timezone,
        state=_state(account),
        account_id=account.account_id if account is not None else None,
        currency=tenant.currency,
        fee_percent=fee_bp / 100,
        updated_at=account.updated_at if account is not None else None,
    )


def _state(account: ConnectedAccount | None) -> PayoutState:
    if account is None:
        return PayoutState.NOT_CONNECTED
    if account.disconnected_at is not None:
        return PayoutState.DISCONNECTED
    if account.charges_enabled:
        return PayoutState.READY
    return PayoutState.UNDER_REVIEW if account.details_submitted else PayoutState.UNFINISHED
