"""What guests change themselves on their own pages: name, number, language, address.

Orders keep what was typed when they were made, but their mails follow the language, and with a new
address, as when staff correct one, what is still to come is written to it.
"""

from uuid import UUID

import msgspec
from sqlalchemy import exists, select, update

from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.commands.readdress import correct_customer
from src.booking.models import Seat, Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Gone, InvalidInput
from src.platform.i18n import _, available_locales
from src.platform.ids import new_id
from src.tenants.commands.customer_care import CustomerDetails, KnownAddress, change_customer
from src.tenants.commands.customers import normalise_email
from src.tenants.context import RequestContext
from src.tenants.domain.portal import mark_of
from src.tenants.events import OwnAddressAsked, OwnAddressChanged
from src.tenants.models import Customer
from src.tenants.portal_links import NewAddress
from src.tenants.queries.portal import Proved, find_portal_guest
from src.tenants.views.portal import PortalGuest


class OwnDetails(msgspec.Struct, frozen=True, kw_only=True):
    """As typed; an empty `locale`, or the business's, is whatever language that has."""

    name: str
    phone: str = ""
    locale: str = ""


async def change_own_details(
    uow: UnitOfWork, ctx: RequestContext, guest: PortalGuest, wanted: OwnDetails
) -> None:
    """Raises: InvalidInput with every field that will not do; NotFound for who is gone."""
    locale = "" if wanted.locale == ctx.here.locale else wanted.locale
    if locale and locale not in available_locales():
        sentence = _("Please choose one of these languages.")
        raise InvalidInput(sentence, fields={"locale": sentence})
    if locale != (guest.locale or ""):
        await _speak(uow, guest.customer_id, locale or ctx.here.locale)
    customer = await uow.session.get_one(Customer, (uow.tenant, guest.customer_id))
    details = CustomerDetails(
        name=wanted.name,
        email=customer.email or "",
        phone=wanted.phone,
        is_established=customer.is_established,
    )
    await change_customer(uow, ctx, guest.customer_id, details)
    customer.locale = locale or None


async def _speak(uow: UnitOfWork, customer_id: UUID, locale: str) -> None:
    """The mails about what is still to come are in the language too. Orders by id, as everybody."""
    ahead = exists().where(
        Seat.tenant_id == Order.tenant_id,
        Seat.order_id == Order.id,
        Session.tenant_id == Seat.tenant_id,
        Session.id == Seat.session_id,
        Session.ends_at > uow.clock.now(),
    )
    locked = await uow.session.scalars(
        select(Order.id)
        .where(
            Order.tenant_id == uow.tenant,
            Order.customer_id == customer_id,
            Order.state.in_([str(OrderState.OPEN), str(OrderState.CONFIRMED)]),
            ahead,
        )
        .order_by(Order.id)
        .with_for_update(key_share=True)
    )
    await uow.session.execute(
        update(Order)
        .where(Order.tenant_id == uow.tenant, Order.id.in_(locked.all()))
        .values(locale=locale)
        .execution_options(synchronize_session=False)
    )


def ask_for_own_address(uow: UnitOfWork, guest: PortalGuest, email: str) -> None:
    """Lets a mail leave to the address, whoever's it is, by which it can be proved.

    Raises: InvalidInput for the one that the guest has.
    """
    address = normalise_email(email)
    if address == guest.email:
        sentence = _("This is your address already.")
        raise InvalidInput(sentence, fields={"email": sentence})
    uow.record(OwnAddressAsked(customer_id=guest.customer_id, email=address, asked_id=new_id()))


async def take_own_address(uow: UnitOfWork, ctx: RequestContext, wanted: NewAddress) -> Proved:
    """The proved address is the guest's from now on, and what is to come is written to it; sessions
    and links that the former one had are over. It is told.

    Raises: Gone for a link that was used; KnownAddress where it is another customer's, whom only
    staff can merge.
    """
    guest = await find_portal_guest(uow, wanted.proved)
    if guest is None:
        raise Gone(_("This link was used already. Your address is the new one."), code="link_used")
    customer = await uow.session.get_one(Customer, (uow.tenant, guest.customer_id))
    details = CustomerDetails(
        name=customer.name,
        email=wanted.email,
        phone=customer.phone,
        is_established=customer.is_established,
    )
    await correct_customer(uow, ctx, guest.customer_id, details, readdress=True)
    former = OwnAddressChanged(
        customer_id=guest.customer_id, former=guest.email, change_id=new_id()
    )
    uow.record(former)
    return Proved(customer_id=guest.customer_id, mark=mark_of(wanted.email))


def address_not_free() -> str:
    """The sentence for an address that another customer has; it says nothing of whom."""
    return _(
        "This address cannot be taken here by itself. Please ask the business to put your bookings"
        " under it."
    )


__all__ = [
    "KnownAddress",
    "OwnDetails",
    "address_not_free",
    "ask_for_own_address",
    "change_own_details",
    "take_own_address",
]
