"""/app/<slug>/customers/<id>/book: staff book for a guest, and read what stands against it."""

from typing import Annotated, Any, cast, get_args
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.domain.credits import LotFacts
from src.billing.domain.kinds import PaymentMode
from src.billing.queries.payment_settings import find_transfer_terms
from src.booking.commands.book import BookCommand, Booked
from src.booking.domain.drop_in import PayWay
from src.booking.domain.naming import LONGEST_NAME, LONGEST_NOTE
from src.booking.domain.price_tiers import FULL
from src.booking.domain.quotes import SubjectKind
from src.booking.domain.staff_rules import StaffPays
from src.booking.errors import NotBookable
from src.booking.place import place_by_staff
from src.booking.queries.credits import list_usable
from src.booking.queries.customers import get_customer
from src.booking.queries.verdict import (
    Choice,
    get_verdict,
    list_appointment_choices,
    list_series_choices,
    list_session_choices,
    read_subject,
)
from src.booking.views.customers import CustomerHead, Verdict
from src.booking.web.customer import ONE
from src.booking.web.customers import MAY_CARE, POST_OPTIONS, customers_path
from src.booking.web.guest_forms import (
    LARGEST_PARTY,
    LARGEST_TOTAL_MINOR,
    LONGEST_CODE,
    new_form_token,
    token_of,
)
from src.booking.web.staff_code import (
    AppliedCode,
    applied_anew,
    applied_code,
    asks_for_code,
    paid_by_code,
)
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext

_FIELDS = {"tiers": "tier"}


class StaffBookingForm(msgspec.Struct):
    """Who comes, a name a line, at which price, and how it is paid, with which credits behind a
    colon; `quoted_...` is what was shown, that of the other prices by their keys, what is left to
    pay with the code `quoted_coupon`, and what that takes off. `step` is "update" where only that
    is to be shown.
    """

    pays: Annotated[str, Meta(max_length=60)]
    party: Annotated[str, Meta(max_length=LARGEST_PARTY * (LONGEST_NAME + 1))]
    tier: Annotated[str, Meta(max_length=60)] = FULL
    note: Annotated[str, Meta(max_length=LONGEST_NOTE)] = ""
    coupon: Annotated[str, Meta(max_length=LONGEST_CODE)] = ""
    step: Annotated[str, Meta(max_length=20)] = ""
    quoted_coupon: Annotated[str, Meta(max_length=LONGEST_CODE)] = ""
    quoted_left_minor: Annotated[int, Meta(ge=0, le=LARGEST_TOTAL_MINOR)] | None = None
    quoted_off_minor: Annotated[int, Meta(ge=0, le=LARGEST_TOTAL_MINOR)] | None = None
    quoted_tiers: dict[str, Annotated[int, Meta(ge=0, le=LARGEST_TOTAL_MINOR)]] = msgspec.field(
        default_factory=dict
    )
    quoted_unit_minor: Annotated[int, Meta(ge=0, le=LARGEST_TOTAL_MINOR)] | None = None
    quoted_dates: Annotated[str, Meta(max_length=100)] | None = None

    def quoted_minor(self, size: int) -> int | None:
        """What was shown that is to pay, None when nothing was."""
        if self.coupon.strip():
            return self.quoted_left_minor
        unit_minor = self.quoted_unit_minor
        if self.tier != FULL:
            unit_minor = self.quoted_tiers.get(self.tier)
        if unit_minor is None:
            return None
        return 0 if self.pays == "free" or self.lot_id is not None else unit_minor * size

    @property
    def code_off_minor(self) -> int | None:
        """What was shown that the code takes off; who takes it out again saw the price, too."""
        return self.quoted_off_minor if self.coupon.strip() else None

    @property
    def is_to_look(self) -> bool:
        """Whether what the code pays is to be seen before anything is booked."""
        code = self.coupon.strip()
        is_seen = code == self.quoted_coupon.strip() and self.quoted_left_minor is not None
        return self.step == "update" or (bool(code) and not is_seen)

    @property
    def lot_id(self) -> UUID | None:
        """The credits that are to pay."""
        word, _colon, lot_id = self.pays.partition(":")
        try:
            return UUID(lot_id) if word == "credit" else None
        except ValueError:
            return None

    def staff_pays(self) -> StaffPays:
        """Raises: InvalidInput at `pays` for a way that there is none."""
        if self.lot_id is not None:
            return "credit"
        if self.pays == "credit" or self.pays not in get_args(StaffPays):
            sentence = _("Please choose one of the given ones.")
            raise InvalidInput(sentence, fields={"pays": sentence})
        return cast(StaffPays, self.pays)

    def names(self) -> tuple[str, ...]:
        """Raises: InvalidInput at `party`."""
        names = tuple(line.strip() for line in self.party.splitlines() if line.strip())
        if not names or len(names) > LARGEST_PARTY or any(len(n) > LONGEST_NAME for n in names):
            sentence = _("Write one name a line, each of at most %(most)s letters.", most=120)
            raise InvalidInput(sentence, fields={"party": sentence})
        return names


class StaffBookingView(msgspec.Struct, frozen=True, kw_only=True):
    """The form for what was chosen, or the choice; `verdict` is None until something is.
    `appointments` are services, by their ids. `takes_codes`: one may be typed, which is `applied`
    once it is known what it pays.
    """

    form: Any
    form_token: str
    head: CustomerHead
    verdict: Verdict | None
    sessions: list[Choice]
    series: list[Choice]
    appointments: list[Choice]
    ways: list[tuple[str, str, str]]
    takes_codes: bool
    applied: AppliedCode | None
    base: str
    here: str
    zone: str
    currency: str


@get(ONE + "/book", guards=MAY_CARE, include_in_schema=False)
async def show_staff_booking(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
) -> Response[bytes]:
    return await _show(request, services, ctx, customer_id, None, new_form_token())


async def _show(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    customer_id: UUID,
    form: Bound[StaffBookingForm] | None,
    token: str,
    status_code: int = 200,
    applied: AppliedCode | None = None,
) -> Response[bytes]:
    subject = read_subject(request.query_params.get("what", ""))
    async with services.uow_factory(ctx.here.id) as uow:
        head = await get_customer(uow, customer_id)
        if head.merged_into is not None:
            path = f"{customers_path(ctx)}/{head.merged_into}/book"
            return redirect(request, f"{path}?{request.scope['query_string'].decode()}")
        takes_transfers = await find_transfer_terms(uow) is not None
        verdict = None
        sessions: list[Choice] = []
        series: list[Choice] = []
        appointments: list[Choice] = []
        lots: list[LotFacts] = []
        if subject is not None:
            verdict = await get_verdict(uow, ctx.here, *subject, customer_id, uow.clock.now())
            lots = await list_usable(uow, customer_id, verdict.when)
        else:
            sessions = await list_session_choices(uow, ctx.here)
            series = await list_series_choices(uow)
            appointments = await list_appointment_choices(uow)
        codes = await asks_for_code(uow, ctx, verdict)
    view = StaffBookingView(
        form=form or blank(StaffBookingForm, {"party": head.name, "pays": "on_site"}),
        form_token=token,
        head=head,
        verdict=verdict,
        sessions=sessions,
        series=series,
        appointments=appointments,
        ways=[*credit_ways(lots), *staff_ways(ctx, head, takes_transfers=takes_transfers)],
        takes_codes=codes,
        applied=applied,
        base=f"/app/{ctx.here.slug}",
        here=f"{customers_path(ctx)}/{customer_id}",
        zone=ctx.here.timezone,
        currency=ctx.here.currency,
    )
    return page(request, "booking/customers/book.html", view, status_code=status_code)


def credit_ways(lots: list[LotFacts]) -> list[tuple[str, str, str]]:
    return [
        (
            f"credit:{lot.id}",
            _("With credits: %(name)s", name=lot.name),
            ngettext("%(num)s credit is left.", "%(num)s credits are left.", lot.balance),
        )
        for lot in lots
    ]


def staff_ways(
    ctx: RequestContext, head: CustomerHead, *, takes_transfers: bool
) -> list[tuple[str, str, str]]:
    """How it may be paid: those only that can be."""
    ways = [("on_site", _("On site"), _("Booked at once; you mark it as paid when it is."))]
    if head.email and ctx.here.payments_ready:
        sentence = _("The places are held for a day at most, and booked when the guest has paid.")
        ways.append(("link", _("By a link in a mail"), sentence))
    if head.email and takes_transfers:
        sentence = _(
            "The places are held until the last day for the money; a mail says how to pay."
        )
        ways.append(("transfer", _("By bank transfer"), sentence))
    ways.append(("free", _("Free"), _("Booked at once, and nothing is to be paid.")))
    return ways


@post(ONE + "/book", **POST_OPTIONS)
async def book_for_guest(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
) -> Response[bytes]:
    """Books once, however often it is sent; a refusal comes with its reasons, as they are now."""
    async with services.uow_factory(ctx.here.id) as uow:
        head = await get_customer(uow, customer_id)
    data = await read_form(request)
    token, bound = token_of(data), bind(StaffBookingForm, data)
    subject = read_subject(request.query_params.get("what", ""))
    if bound.struct is None or subject is None:
        return await _show(request, services, ctx, customer_id, bound, token, 422)
    try:
        command = staff_command(ctx, head, bound.struct, subject, token)
        if bound.struct.is_to_look:
            applied = await applied_code(services, ctx, command)
            return await _show(request, services, ctx, customer_id, bound, token, applied=applied)
        booked = await place_by_staff(services, ctx, command)
    except InvalidInput as refusal:
        fields = {_FIELDS.get(name, name): said for name, said in refusal.fields.items()}
        shown = bound.refused(InvalidInput(refusal.message, fields=fields))
        return await _show(request, services, ctx, customer_id, shown, token, 422)
    except Conflict as refusal:
        shown = bound.with_errors(None, sentence_of(refusal))
        applied = await applied_anew(services, ctx, command, refusal)
        return await _show(request, services, ctx, customer_id, shown, token, 409, applied)
    flash(request, "success", said_of_booking(head, booked))
    return redirect(request, f"{customers_path(ctx)}/{booked.order.customer_id}")


def sentence_of(refusal: Conflict) -> str:
    """Every reason with its remedy where the rules refused; what happened where others were
    faster.
    """
    if not isinstance(refusal, NotBookable):
        return refusal.message
    return " ".join(f"{one.owner_sentence} {one.mend}".strip() for one in refusal.reasons)


def staff_command(
    ctx: RequestContext,
    head: CustomerHead,
    form: StaffBookingForm,
    subject: tuple[SubjectKind, UUID],
    token: str,
) -> BookCommand:
    (kind, subject_id), party = subject, form.names()
    return BookCommand(
        kind=kind,
        subject_id=subject_id,
        party=party,
        tiers=(form.tier,) * len(party) if form.tier != FULL else (),
        guest_name=head.name,
        guest_email=head.email,
        guest_phone=head.phone,
        form_token=token,
        note=form.note,
        coupon=form.coupon.strip(),
        quoted_minor=form.quoted_minor(len(party)),
        quoted_off_minor=form.code_off_minor,
        quoted_dates=form.quoted_dates,
        source="staff",
        locale=ctx.here.locale,
        customer_id=head.id,
        pays=form.staff_pays(),
        way=PayWay.CREDIT if form.lot_id is not None else None,
        credit_lot_id=form.lot_id,
    )


def said_of_booking(head: CustomerHead, booked: Booked) -> str:
    """What was done, and what a voucher pays of it."""
    if not booked.needs_payment and head.email:
        done = _("Booked. A confirmation is on its way to %(to)s.", to=head.email)
    elif not booked.needs_payment:
        done = _("Booked for %(name)s.", name=head.name)
    elif booked.order.payment_mode == PaymentMode.TRANSFER:
        done = _("The places are held. How to pay is on its way to %(to)s.", to=head.email)
    else:
        done = _("The places are held. A link to pay is on its way to %(to)s.", to=head.email)
    return f"{done} {paid_by_code(booked.order)}".strip()


route_handlers = [show_staff_booking, book_for_guest]
