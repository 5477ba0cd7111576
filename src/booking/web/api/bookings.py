"""Booking over the API, the hub, and whose key it is."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody
from msgspec import Meta

from src.billing.domain.kinds import OrderState, PaymentMode
from src.billing.owed import get_owed_minor
from src.booking.commands.agreement_signing import NotAgreed
from src.booking.commands.book import BookCommand
from src.booking.domain.agreements import MOST_ASKED
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import BookingState, SeatState
from src.booking.domain.naming import LONGEST_NAME, LONGEST_NOTE
from src.booking.domain.price_label import text as label_text
from src.booking.domain.price_tiers import PriceTier
from src.booking.domain.states import booking_state
from src.booking.guest_links import booking_path
from src.booking.place import Placed, place_booking
from src.booking.queries.agreements import find_needed_by_things
from src.booking.queries.api import get_booking_facts, participant_names
from src.booking.queries.drop_in import LOOSE
from src.booking.queries.mail_facts import BookingFacts
from src.booking.queries.on_sale import Joinable, OnSale, list_on_sale
from src.booking.queries.on_sale_rows import ServiceRow
from src.booking.queries.shop import Shop, shop_of
from src.booking.views.api import (
    BookingOut,
    MeOut,
    MoneyOut,
    PaidByCreditsOut,
    SeatOut,
    moment_out,
)
from src.booking.views.api_hub import HubOut, SeriesOnHub, ServiceOnHub, TierOnHub
from src.booking.web.api.agreements import at_its_fields, signing_of, with_agreements
from src.booking.web.api.bodies import BookingWay
from src.booking.web.api.refusals import refusals
from src.platform.errors import InvalidInput
from src.platform.i18n import _, current_locale
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Email
from src.tenants.commands.admins import normalised_email
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.domain.entitlements import BUILT, Limit
from src.tenants.domain.naming import on_one_line
from src.tenants.domain.phones import dialled_phone, not_a_phone
from src.tenants.queries.usage import bookings_this_month

Key = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="Your own word for this booking, of 1 to 200 characters. Sent again with the"
        " same body it gives the same booking; with another body it is refused with 409.",
    ),
]
LONGEST_KEY = 200
Name = Annotated[str, Meta(max_length=LONGEST_NAME)]


class BookingIn(msgspec.Struct, frozen=True, kw_only=True):
    """A guest's wish. `party` has a name for everyone who comes, empty where it is not known.
    `coupon` is a code that makes it cheaper; one that cannot be used is refused with 422, and
    nothing is booked.
    `tiers` are the keys of everyone's price, in the order of the party: `full`, or one that the hub
    tells; none, and all pay the full price. `way` is how it is to be paid where there is a choice;
    null: the first way that is open.
    """

    kind: Literal["session", "series"]
    id: UUID
    guest_name: Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
    guest_email: Email
    guest_phone: Annotated[str, Meta(max_length=40)] = ""
    party: Annotated[list[Name], Meta(min_length=1, max_length=100)] = msgspec.field(
        default_factory=lambda: [""]
    )
    answers: Annotated[
        dict[str, Annotated[str, Meta(max_length=2000)]],
        Meta(description="What the guest says to the service's questions, by the `key` of each."),
    ] = {}
    people: Annotated[
        list[dict[str, Annotated[str, Meta(max_length=2000)]]],
        Meta(
            max_length=100,
            description="What each of the party says to the questions asked `per_person`, in the"
            " order of the party, by the `key` of each.",
        ),
    ] = []
    note: Annotated[str, Meta(max_length=LONGEST_NOTE)] = ""
    coupon: Annotated[str, Meta(max_length=40)] = ""
    way: BookingWay | None = None
    tiers: Annotated[list[Annotated[str, Meta(max_length=60)]], Meta(max_length=100)] = []
    expected_total_minor: int | None = None
    agreed_version_ids: Annotated[
        list[UUID],
        Meta(
            max_length=MOST_ASKED,
            description="The versions of agreements that the guest was shown and agrees to: all"
            " that the service, or the series too, asks for now.",
        ),
    ] = []
    signed_name: Annotated[
        str,
        Meta(
            max_length=LONGEST_NAME,
            description="The full name that the guest has typed to sign these agreements.",
        ),
    ] = ""


@post(
    "/bookings", summary="Book a session or a series", responses=refusals(402, 404, 409, 422, 503)
)
async def api_book(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    data: JSONBody[BookingIn],
    idempotency_key: Key = None,
) -> BookingOut:
    """Free and on-site bookings are confirmed at once. For one that is paid online the answer has
    the `payment_url`, and the seats are held until it has been paid or has expired.

    A refusal books nothing, and the same key may be tried again.
    """
    cmd = _command(ctx, data, _token(idempotency_key))
    signing = signing_of(request, data.agreed_version_ids, data.signed_name)
    cmd = msgspec.structs.replace(cmd, signing=signing)
    try:
        placed = await place_booking(services, ctx, cmd, may_change=False)
    except NotAgreed as refusal:
        raise at_its_fields(refusal) from None
    answer = _placed(services, ctx, data, placed)
    if not placed.again:
        return answer
    # It may have been cancelled, or left, since.
    found = await _found(services, ctx, placed.booking_id)
    return msgspec.structs.replace(answer, state=found.state)


def _token(key: str | None) -> str:
    """Distinct from the tokens of forms; a hash, so that any key fits."""
    if key is None:
        return f"api:{new_id()}"
    if not 1 <= len(key) <= LONGEST_KEY:
        sentence = _("Please give a key of 1 to 200 characters.")
        raise InvalidInput(sentence, fields={"Idempotency-Key": sentence})
    return f"api:{hashlib.sha256(key.encode()).hexdigest()}"


def _command(ctx: RequestContext, data: BookingIn, token: str) -> BookCommand:
    try:
        email = normalised_email(data.guest_email)
    except InvalidInput as refusal:
        raise InvalidInput(refusal.message, fields={"guest_email": refusal.message}) from None
    return BookCommand(
        kind=data.kind,
        subject_id=data.id,
        party=tuple(on_one_line(name) for name in data.party),
        guest_name=_guest_name(data.guest_name),
        guest_email=email,
        guest_phone=_phone(ctx, data.guest_phone.strip()),
        answers=data.answers,
        people=tuple(data.people),
        note=data.note,
        coupon=data.coupon,
        tiers=tuple(data.tiers),
        way=PayWay(data.way) if data.way is not None else None,
        form_token=token,
        quoted_minor=data.expected_total_minor,
        source="api",
        locale=current_locale(),
    )


def _guest_name(typed: str) -> str:
    """Raises: InvalidInput at `guest_name` where nothing of it can be seen."""
    name = on_one_line(typed)
    if not name:
        sentence = _("Please give a name.")
        raise InvalidInput(sentence, fields={"guest_name": sentence})
    return name


def _phone(ctx: RequestContext, typed: str) -> str:
    """Raises: InvalidInput at `guest_phone`."""
    if not typed:
        return ""
    phone = dialled_phone(typed, ctx.here.country)
    if phone is None:
        raise InvalidInput(not_a_phone(), fields={"guest_phone": not_a_phone()})
    return phone


def _placed(services: Services, ctx: RequestContext, data: BookingIn, placed: Placed) -> BookingOut:
    order = placed.order
    is_held = order.state == OrderState.OPEN
    return BookingOut(
        id=placed.booking_id,
        order_id=order.id,
        reference=order.reference,
        state=BookingState.HELD if is_held else BookingState.CONFIRMED,
        kind=data.kind,
        subject_id=data.id,
        party_size=len(data.party),
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        total=MoneyOut(order.total_minor, order.currency),
        discount=MoneyOut(order.discount_minor, order.currency),
        payment_mode=PaymentMode(order.payment_mode),
        booking_url=services.settings.base_url + placed.guest_path,
        payment_url=placed.payment_url,
    )


@get("/bookings/{booking_id:uuid}", summary="Get a booking with its seats", responses=refusals(404))
async def api_get_booking(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    booking_id: FromPath[UUID],
) -> BookingOut:
    return await _found(services, ctx, booking_id)


async def _found(services: Services, ctx: RequestContext, booking_id: UUID) -> BookingOut:
    async with services.uow_factory(ctx.here.id) as uow:
        facts = await get_booking_facts(uow, booking_id)
        names = await participant_names(uow, booking_id)
        owed_minor = await get_owed_minor(uow, facts.order.id)
    return _booking(services, ctx.here, facts, names, owed_minor)


def _booking(
    services: Services,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    names: dict[UUID, str],
    owed_minor: int,
) -> BookingOut:
    order, booking = facts.order, facts.booking
    path = booking_path(services.settings, tenant.slug, order)
    return BookingOut(
        id=booking.id,
        order_id=order.id,
        reference=order.reference,
        state=booking_state(SeatState(item.seat.state) for item in facts.seats),
        kind="series" if booking.series_id is not None else "session",
        subject_id=booking.series_id or booking.session_id or booking.id,
        party_size=booking.party_size,
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        total=MoneyOut(order.total_minor, order.currency),
        discount=MoneyOut(order.discount_minor, order.currency),
        payment_mode=PaymentMode(order.payment_mode),
        booking_url=services.settings.base_url + path,
        owed=MoneyOut(owed_minor, order.currency),
        seats=[
            SeatOut(
                id=item.seat.id,
                session_id=item.session.id,
                participant=names.get(item.seat.participant_id, ""),
                state=SeatState(item.seat.state),
                share_minor=item.seat.share_minor,
                tier=item.seat.tier,
                starts_at=moment_out(item.session.starts_at, tenant.zone),
                paid_by_credit=item.seat.credit_lot_id is not None,
            )
            for item in facts.seats
        ],
        credits=_credits(facts, tenant),
    )


def _credits(facts: BookingFacts, tenant: TenantSnapshot) -> PaidByCreditsOut | None:
    spent = facts.credits
    if spent is None:
        return None
    ends_at = spent.expires_at
    return PaidByCreditsOut(
        name=spent.name,
        left=spent.left,
        expires_at=None if ends_at is None else moment_out(ends_at, tenant.zone),
    )


@get("/hub", summary="What guests can book now", responses=refusals())
async def api_hub(
    services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> HubOut:
    """The same price labels as on the booking page."""
    now = services.clock.now()
    async with services.uow_factory(ctx.here.id) as uow:
        on_sale = await list_on_sale(uow, ctx.here, now)
        needed = await find_needed_by_things(uow)
    shop = shop_of(ctx.here, on_sale, now)
    base = f"{services.settings.base_url}{shop.path}"
    return HubOut(
        name=ctx.here.name,
        url=base,
        open=shop.is_open,
        notice=shop.notice,
        services=[
            with_agreements(_on_hub(row, on_sale, shop, base), services, ctx, needed)
            for row in on_sale.services
        ],
    )


def _on_hub(row: ServiceRow, on_sale: OnSale, shop: Shop, base: str) -> ServiceOnHub:
    tenant = shop.tenant
    return ServiceOnHub(
        id=row.id,
        slug=row.slug,
        name=row.name,
        price_label=label_text(on_sale.label(row, tenant.currency), current_locale()),
        url=f"{base}/{row.slug}",
        next_at=moment_out(row.next_at, tenant.zone) if row.next_at is not None else None,
        tiers=_tiers_on_hub(row.tiers(LOOSE, on_sale.today), tenant.currency),
        series=[
            _series_on_hub(offer, tenant)
            for offer in on_sale.series
            if offer.row.service_id == row.id and not offer.is_closed
        ],
    )


def _series_on_hub(offer: Joinable, tenant: TenantSnapshot) -> SeriesOnHub:
    quote = offer.quote
    return SeriesOnHub(
        id=offer.row.id,
        title=offer.row.title,
        price=None if offer.is_sold_out else MoneyOut(quote.price_minor, tenant.currency),
        full_price=MoneyOut(quote.full_price_minor, tenant.currency),
        tiers=_tiers_on_hub(offer.tiers, tenant.currency),
        sold_out=offer.is_sold_out,
        session_ids=list(quote.included),
    )


def _tiers_on_hub(tiers: Sequence[PriceTier], currency: str) -> list[TierOnHub]:
    return [
        TierOnHub(
            key=tier.key,
            name=tier.name,
            price=MoneyOut(tier.price_minor, currency),
            until_on=tier.until_on,
        )
        for tier in tiers
    ]


@get("/me", summary="Whose key this is", responses=refusals())
async def api_me(
    services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> MeOut:
    tenant = ctx.here
    async with services.uow_factory(tenant.id) as uow:
        taken = await bookings_this_month(uow, tenant)
    return MeOut(
        name=tenant.name,
        slug=tenant.slug,
        timezone=tenant.timezone,
        currency=tenant.currency,
        plan=tenant.entitlements.plan_name,
        features=sorted(str(one) for one in tenant.entitlements.features & BUILT),
        bookings_this_month=taken,
        bookings_per_month=tenant.entitlements.limit(Limit.BOOKINGS_PER_MONTH),
    )


route_handlers = [
    api_book,
    api_get_booking,
    api_hub,
    api_me,
]
