"""How far a business is with getting paid."""

from typing import Any

from src.billing.commands.connect import find_account
from src.billing.domain.methods import methods_for
from src.billing.domain.transfers import spaced_iban
from src.billing.models import ConnectedAccount
from src.billing.queries.payment_settings import find_payment_settings
from src.billing.views.payments import PaymentsPage, PayoutState
from src.billing.words import method_choices
from src.platform.db.uow import UnitOfWork
from src.platform.web.forms import Bound
from src.tenants.context import TenantSnapshot


async def get_payments_page(
    uow: UnitOfWork, tenant: TenantSnapshot, fee_bp: int, chosen: Bound[Any]
) -> PaymentsPage:
    account, settings = await find_account(uow), await find_payment_settings(uow)
    takes_transfers = settings is not None and settings.takes_transfers
    return PaymentsPage(
        slug=tenant.slug,
        zone=tenant.timezone,
        state=_state(account),
        account_id=account.account_id if account is not None else None,
        currency=tenant.currency,
        fee_percent=fee_bp / 100,
        updated_at=account.updated_at if account is not None else None,
        takes_transfers=takes_transfers,
        account=spaced_iban(settings.iban) if settings is not None and takes_transfers else "",
        methods=method_choices(methods_for(tenant.currency)),
        chosen=chosen,
    )


def _state(account: ConnectedAccount | None) -> PayoutState:
    if account is None:
        return PayoutState.NOT_CONNECTED
    if account.disconnected_at is not None:
        return PayoutState.DISCONNECTED
    if account.charges_enabled:
        return PayoutState.READY
    return PayoutState.UNDER_REVIEW if account.details_submitted else PayoutState.UNFINISHED
