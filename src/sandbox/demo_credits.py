"""What Lotus sells ahead, gives back and waits for: packages, credits, vouchers, transfers."""

from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.commands.buy_package import BuyCommand
from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.commands.orders import find_order_by_form_token
from src.billing.commands.payment_settings import take_transfers
from src.billing.commands.voucher_sales import SellVoucher
from src.billing.commands.voucher_settings import VoucherOffer, change_voucher_offer
from src.billing.domain.credits import Scope
from src.billing.domain.kinds import PaymentMode
from src.billing.domain.package_drafts import PackageDraft, PackageWay, Purpose
from src.billing.domain.transfers import TransferTerms
from src.billing.models import CreditLot, Voucher
from src.billing.settlement import check_payment
from src.billing.voucher_shop import buy_voucher
from src.booking.commands.packages import save_package
from src.booking.commands.refund_policies import set_series_policy
from src.booking.domain.drop_in import PayWay
from src.booking.domain.leaving import BeforeUnit, Tier
from src.booking.domain.refund_policy import BuyerRule, Gives, RefundPolicy
from src.booking.place_package import place_package
from src.platform.ids import new_id
from src.sandbox.demo_guests import Guests, Wish, address_of, pay_by_card
from src.sandbox.demo_shop import Opened
from src.sandbox.demo_times import earlier
from src.tenants.commands.customers import find_or_add_customer
from src.tenants.context import GUEST

SINCE_DAYS = 39
"""The packages are older than all that was bought of them."""

A_DAY_BEFORE = (Tier(before=24, unit=BeforeUnit.HOURS, percent=100),)
BOTH_WAYS = (PackageWay.ONLINE, PackageWay.ON_SITE)
ACCOUNT = TransferTerms(
    holder="Lotus Yoga", iban="NL91ABNA0417164300", text="Tea is on us while you wait."
)
VOUCHERS = VoucherOffer(is_on=True, amounts_minor=(2500, 5000, 10000))


class Packages(msgspec.Struct, frozen=True, kw_only=True):
    """By their ids."""

    ten: UUID
    mornings: UUID


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """Credits that somebody owns."""

    id: UUID
    customer_id: UUID
    owner: str


async def open_ahead(lotus: Opened) -> Packages:
    """All that the owner has set up before anybody came; the course gives a make-up class back."""
    then = earlier(lotus.services, SINCE_DAYS)
    ten, mornings, make_up = new_id(), new_id(), new_id()
    async with then.uow_factory(lotus.ctx.here.id) as uow:
        for package_id, draft in zip((ten, mornings, make_up), _drafts(lotus), strict=True):
            await save_package(uow, lotus.ctx, package_id, draft, is_new=True)
        await change_voucher_offer(uow, lotus.ctx, VOUCHERS)
        await take_transfers(uow, lotus.ctx, ACCOUNT)
    course = lotus.offers["hatha"].series_id
    if course is None:
        raise LookupError("The demo's service has no course.")
    policy = RefundPolicy(
        course=BuyerRule(gives=Gives.PACKAGE, tiers=A_DAY_BEFORE, package_id=make_up),
        credit=BuyerRule(gives=Gives.CREDIT, tiers=A_DAY_BEFORE),
    )
    async with then.uow_factory(lotus.ctx.here.id) as uow:
        await set_series_policy(uow, lotus.ctx, course, policy)
    return Packages(ten=ten, mornings=mornings)


def _drafts(lotus: Opened) -> tuple[PackageDraft, PackageDraft, PackageDraft]:
    yoga = frozenset(lotus.offers[key].service_id for key in ("hatha", "flow"))
    return (
        PackageDraft(
            name="10 Yoga classes",
            description="Any class you like, one credit each. Bring a friend: that is two.",
            credits=10,
            price_minor=13500,
            validity_days=180,
            scope=Scope(service_ids=yoga),
            pays=BOTH_WAYS,
            parts=3,
        ),
        PackageDraft(
            name="5 mornings",
            description="A month of early starts.",
            credits=5,
            price_minor=6500,
            validity_days=30,
            scope=Scope(tags=frozenset({"mornings"})),
            pays=BOTH_WAYS,
            position=1,
        ),
        PackageDraft(
            name="Make-up class",
            purpose=Purpose.REFUND,
            validity_days=90,
            scope=Scope(tags=frozenset({"beginners"})),
        ),
    )


async def lotus_credits(lotus: Opened, guests: Guests, packages: Packages) -> None:
    """Lots in every state: in use, soon over, waiting for their money, expired, new and paid in
    parts.
    """
    flow = lotus.offers["flow"].session_ids
    ten = await _buy_on_site(lotus, packages.ten, "Carl Cedar", days_ago=25)
    soon_over = await _buy_on_site(lotus, packages.mornings, "Carl Cedar", days_ago=26)
    await _use(guests, soon_over, flow[0], days_ago=3)
    for date_id, days_ago in ((flow[4], 4), (flow[5], 2), (flow[7], 1)):
        await _use(guests, ten, date_id, days_ago=days_ago)
    await _buy_on_site(lotus, packages.mornings, "Pia Pine", days_ago=38)
    await _buy_on_site(lotus, packages.ten, "Quin Quince", days_ago=2, is_paid=False)
    await _buy_in_parts(lotus, packages.ten, "Rosa Rowan")


async def lotus_money(lotus: Opened, guests: Guests) -> None:
    """A voucher that was spent in part, and a transfer that has not come yet."""
    flow = lotus.offers["flow"].session_ids
    code = await _sell_voucher(lotus, "Ines Isle", "Milo Moss", 5000)
    await guests.book(Wish(kind="session", subject_id=flow[6], party=("Milo Moss",), coupon=code))
    far = Wish(
        kind="session", subject_id=flow[12], party=("Tara Thyme", "Tim Thyme"), way=PayWay.TRANSFER
    )
    await guests.book(far, days_ago=1)


async def _buy_on_site(
    lotus: Opened, package_id: UUID, name: str, *, days_ago: int, is_paid: bool = True
) -> Lot:
    """At the counter; the credits wait for the money."""
    then = earlier(lotus.services, days_ago)
    guest = msgspec.structs.replace(lotus.ctx, actor=GUEST)
    cmd = _purchase(lotus, package_id, name, PaymentMode.ON_SITE)
    await place_package(then, guest, cmd)
    async with then.uow_factory(lotus.ctx.here.id) as uow:
        order = await find_order_by_form_token(uow, cmd.form_token)
        assert order is not None
        lot_id = await uow.session.scalar(
            select(CreditLot.id).where(
                CreditLot.tenant_id == uow.tenant, CreditLot.order_id == order.id
            )
        )
        if is_paid:
            await mark_paid_on_site(uow, lotus.ctx, order.id)
    assert lot_id is not None
    return Lot(id=lot_id, customer_id=order.customer_id, owner=name)


async def _buy_in_parts(lotus: Opened, package_id: UUID, name: str) -> None:
    """Signed in, since a card is kept for the parts that are still to come."""
    guest = msgspec.structs.replace(lotus.ctx, actor=GUEST)
    async with lotus.services.uow_factory(lotus.ctx.here.id) as uow:
        now = uow.clock.now()
        customer_id = await find_or_add_customer(uow, address_of(name), name, "", now)
    cmd = msgspec.structs.replace(
        _purchase(lotus, package_id, name, PaymentMode.ONLINE),
        customer_id=customer_id,
        in_parts=True,
    )
    payment_url = await place_package(lotus.services, guest, cmd)
    await pay_by_card(payment_url, name)
    async with lotus.services.uow_factory(lotus.ctx.here.id) as uow:
        order = await find_order_by_form_token(uow, cmd.form_token)
    assert order is not None
    await check_payment(lotus.services, lotus.ctx.here.id, order.id)


def _purchase(lotus: Opened, package_id: UUID, name: str, way: PaymentMode) -> BuyCommand:
    return BuyCommand(
        package_id=package_id,
        guest_name=name,
        guest_email=address_of(name),
        form_token=str(new_id()),
        way=way,
        locale=lotus.ctx.here.locale,
        single_minor=1500,
    )


async def _use(guests: Guests, lot: Lot, session_id: UUID, *, days_ago: int) -> None:
    wish = Wish(
        kind="session",
        subject_id=session_id,
        party=(lot.owner,),
        way=PayWay.CREDIT,
        lot_id=lot.id,
        customer_id=lot.customer_id,
    )
    await guests.book(wish, days_ago=days_ago)


async def _sell_voucher(lotus: Opened, buyer: str, recipient: str, amount_minor: int) -> str:
    """By card. Returns the code, which only the recipient's mail tells."""
    guest = msgspec.structs.replace(lotus.ctx, actor=GUEST)
    cmd = SellVoucher(
        amount_minor=amount_minor,
        buyer_name=buyer,
        buyer_email=address_of(buyer),
        form_token=str(new_id()),
        recipient_name=recipient,
        recipient_email=address_of(recipient),
        message="For a slow morning.",
        locale=lotus.ctx.here.locale,
    )
    bought = await buy_voucher(lotus.services, guest, cmd)
    assert bought.payment_url is not None
    await pay_by_card(bought.payment_url, buyer)
    await check_payment(lotus.services, lotus.ctx.here.id, bought.order_id)
    async with lotus.services.uow_factory(lotus.ctx.here.id) as uow:
        code = await uow.session.scalar(
            select(Voucher.code).where(
                Voucher.tenant_id == uow.tenant, Voucher.order_id == bought.order_id
            )
        )
    assert code is not None
    return code
