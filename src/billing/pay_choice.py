"""How a guest wants to pay online: on the payment page, or with a card that they keep."""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from src.billing.card_payments import ByCard, CardOutcome, pay_by_card
from src.billing.checkout import Keep, ensure_payment_page
from src.billing.domain.parts import PLAN
from src.billing.models import Order
from src.platform.errors import Conflict, Gone
from src.platform.i18n import _
from src.platform.services import Services

SIGN_IN = "sign_in_to_pay"


class PayChoice(msgspec.Struct, frozen=True, kw_only=True):
    """`customer_id` is who is signed in. With a `card_id` it is that card of theirs; otherwise the
    page, and `consent` is what they agreed to who want to keep the card that they pay with there;
    `is_of_plan`: for later parts of the price.
    """

    customer_id: UUID | None = None
    card_id: UUID | None = None
    consent: dict[str, Any] | None = None
    is_of_plan: bool = False


def choice_for(order: Order, choice: PayChoice | None) -> PayChoice | None:
    """Whatever was chosen: who pays in parts pays the first on the page, and the card is kept as
    they agreed to with the order. That is for the buyer alone, since the card is theirs from then
    on.

    Raises: Conflict for somebody else, who may only have the link.
    """
    if not order.later_minor:
        return choice
    if choice is None or choice.customer_id != order.customer_id:
        raise Conflict(
            _("Please sign in to pay: this is paid in parts, so the card is kept for the others."),
            code=SIGN_IN,
        )
    consent = order.consents[PLAN]
    return PayChoice(customer_id=order.customer_id, consent=consent, is_of_plan=True)


async def pay_online(
    services: Services,
    tenant_id: UUID,
    order_id: UUID,
    choice: PayChoice | None,
    *,
    back_url: str,
    cancel_url: str,
    today_on: date,
) -> str | None:
    """Where to send the guest: to the payment page, to their bank, or to `back_url` to wait. None
    when their own page has it all: it is paid, or the card was declined, or its time is over.

    Without a choice it is the page, as it is. Never call it inside a transaction.
    Raises: what `ensure_payment_page` and `pay_by_card` raise.
    """
    try:
        if choice is None or choice.card_id is None or choice.customer_id is None:
            return await ensure_payment_page(
                services,
                tenant_id,
                order_id,
                success_url=back_url,
                cancel_url=cancel_url,
                keep=_keep(choice),
            )
        by = ByCard(
            customer_id=choice.customer_id,
            card_id=choice.card_id,
            return_url=back_url,
            today_on=today_on,
        )
        answer = await pay_by_card(services, tenant_id, order_id, by)
    except Gone:
        return None
    except Conflict as refused:
        if refused.code != "already_paid":
            raise
        return None
    if answer.outcome is CardOutcome.BANK:
        return answer.bank_url
    return back_url if answer.outcome is CardOutcome.UNSURE else None


def _keep(choice: PayChoice | None) -> Keep | None:
    if choice is None:
        return None
    return Keep(customer_id=choice.customer_id, consent=choice.consent, is_needed=choice.is_of_plan)
