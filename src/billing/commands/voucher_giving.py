"""A voucher in place of money that would go back: made out to the order's customer."""

from zoneinfo import ZoneInfo

from src.billing.commands.voucher_sales import voucher_row
from src.billing.commands.voucher_settings import get_voucher_offer
from src.billing.domain.kinds import RefundCause, RefundState
from src.billing.domain.vouchers import VoucherSource, expiry_of
from src.billing.models import Order, Payment, Refund, Voucher
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.platform.localtime import to_local


async def voucher_for(
    uow: UnitOfWork, zone: ZoneInfo, order: Order, currency: str, amount_minor: int
) -> Voucher:
    """A pending one for the order's customer, valid as long as one that is bought today."""
    offer, now = await get_voucher_offer(uow), uow.clock.now()
    row = {
        **voucher_row(uow, new_id(), amount_minor, currency),
        "source": str(VoucherSource.REFUND),
        "expires_at": expiry_of(
            to_local(now, zone).date(),
            zone,
            valid_months=offer.valid_months,
            to_year_end=offer.to_year_end,
        ),
        "order_id": None,
        "customer_id": order.customer_id,
        "recipient_name": order.guest_name,
        "recipient_email": "",
        "message": "",
        "locale": order.locale,
        "send_on": None,
    }
    voucher = Voucher(**row)
    uow.session.add(voucher)
    await uow.session.flush()
    return voucher


def given_as(
    uow: UnitOfWork,
    order: Order,
    payment: Payment,
    voucher: Voucher,
    amount_minor: int,
    cause: RefundCause,
    cause_key: str,
) -> Refund:
    """Nothing is called for, so it is done with."""
    now = uow.clock.now()
    row = {
        "tenant_id": uow.tenant,
        "id": new_id(),
        "order_id": order.id,
        "payment_id": payment.id,
        "voucher_id": voucher.id,
        "amount_minor": amount_minor,
        "attempt": 1,
        "body": {},
        "state": str(RefundState.SUCCEEDED),
        "cause": str(cause),
        "cause_key": cause_key,
        "created_at": now,
        "finished_at": now,
    }
    return Refund(**row)
