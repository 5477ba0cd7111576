"""Money that goes back for an order, or does not, and the guest's own page of it."""

import re
from html import unescape

from sqlalchemy import select

from src.billing.commands.by_staff import RefundByHand, refund_by_hand
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import (
    fail_refund,
    get_payment,
    get_refund,
    take_refund_news,
)
from src.billing.models import Order, Payment, Refund
from src.billing.processor import ProcessorRefund, RefundStatus
from src.booking.commands.book import Booked
from src.booking.guest_links import booking_path
from src.platform.ids import new_id
from src.platform.services import Services
from tests.support.builders import (
    Business,
)
from tests.support.visitor import Visitor


async def gives_back(
    services: Services, lotus: Business, made: Booked, minor: int, *, instead: bool = True
) -> Refund:
    async with services.uow_factory(lotus.id) as uow:
        payment_id = await uow.session.scalar(select(Payment.id))
        assert payment_id is not None
        cmd = RefundByHand(
            order_id=made.order_id,
            payment_id=payment_id,
            amount_minor=minor,
            token=str(new_id()),
            instead=instead,
        )
        await refund_by_hand(uow, lotus.ctx, cmd)
        asked = await uow.session.scalar(select(Refund).where(Refund.state == "pending"))
        assert asked is not None
        return asked


async def gives_back_in_vain(
    services: Services, lotus: Business, made: Booked, minor: int, *, instead: bool = True
) -> None:
    asked = await gives_back(services, lotus, made, minor, instead=instead)
    async with services.uow_factory(lotus.id) as uow:
        order = await lock_order(uow, made.order_id)
        await fail_refund(uow, order, await get_refund(uow, asked.id), "declined")


async def arrives(services: Services, lotus: Business, made: Booked, asked: Refund) -> None:
    async with services.uow_factory(lotus.id) as uow:
        payment = await get_payment(uow, asked.payment_id)
        news = ProcessorRefund(
            id="re_1",
            payment_intent_id=payment.payment_intent_id,
            amount_minor=asked.amount_minor,
            status=RefundStatus.SUCCEEDED,
            failure="",
            metadata={"refund_id": str(asked.id)},
        )
        order = await lock_order(uow, made.order_id)
        await take_refund_news(uow, order, await get_refund(uow, asked.id), news)


async def pays_back(
    services: Services, lotus: Business, made: Booked, minor: int, *, instead: bool = True
) -> None:
    asked = await gives_back(services, lotus, made, minor, instead=instead)
    await arrives(services, lotus, made, asked)


async def guests_page(services: Services, lotus: Business, made: Booked, visitor: Visitor) -> str:
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
    await visitor.open(booking_path(services.settings, "lotus", order))
    return words_of(visitor)


def words_of(visitor: Visitor) -> str:
    """What the page says, without its tags."""
    return " ".join(unescape(re.sub("<[^>]+>", " ", visitor.text)).split())
