"""/app/<slug>/customers/<id>: one customer's whole story, and what staff add to it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.fee_words import FeeWords, fee_words
from src.billing.queries.credit_lists import list_lots_of
from src.billing.queries.fees import list_fees_of_customer
from src.billing.views.credits import LotRow
from src.billing.views.fees import FeeRow
from src.booking.commands.readdress import Readdressed, correct_customer
from src.booking.queries.agreement_pages import list_signatures_of
from src.booking.queries.agreements_waiting import find_waiting
from src.booking.queries.answers import Wanted, get_answer
from src.booking.queries.customer_history import list_history
from src.booking.queries.customer_story import get_customer_story
from src.booking.queries.feeds import find_customer_feed
from src.booking.queries.groups import list_groups_of
from src.booking.queries.verdict import (
    Choice,
    list_series_choices,
    list_session_choices,
    read_subject,
)
from src.booking.views.agreements import SignatureRow
from src.booking.views.customers import Answer, CustomerHead, CustomerStory
from src.booking.views.feeds import FeedRow
from src.booking.views.groups import GroupOfCustomer
from src.booking.views.worksheets import OfCustomer
from src.booking.web.customer_history import HistoryView, history_view
from src.booking.web.customer_words import (
    Consent,
    consents_of,
    declined_words,
    readdressed_words,
    why_double,
)
from src.booking.web.customers import (
    HOME,
    MAY_CARE,
    POST_OPTIONS,
    REFUSED,
    CustomerForm,
    CustomerFormView,
    customers_path,
    head_of,
)
from src.booking.web.guest_forms import LARGEST_PARTY
from src.booking.web.sold_words import Word, seat_words
from src.booking.web.worksheets_asked import sheets_of_customer
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, form_data, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.commands.customer_care import (
    KnownAddress,
    add_note,
    remove_note,
    set_tags,
)
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.queries.mail_choices import list_declined

ONE = HOME + "/{customer_id:uuid}"


class NoteForm(msgspec.Struct):
    text: Annotated[str, Meta(max_length=4000)] = ""


class TagsForm(msgspec.Struct):
    """Words with commas between them."""

    tags: Annotated[str, Meta(max_length=800)] = ""


class WhyForm(msgspec.Struct):
    """What is asked about: `what` as `read_subject` reads it, for how many, at which price."""

    what: Annotated[str, Meta(max_length=60)] = ""
    size: Annotated[int, Meta(ge=1, le=LARGEST_PARTY)] = 1
    tier: Annotated[str, Meta(max_length=60)] = ""
    code: Annotated[str, Meta(max_length=40)] = ""

    def wanted(self) -> Wanted | None:
        """None while nothing is chosen."""
        subject = read_subject(self.what)
        if subject is None:
            return None
        kind, subject_id = subject
        return Wanted(
            kind=kind, subject_id=subject_id, size=self.size, tier=self.tier, code=self.code
        )


class HistoryQuery(msgspec.Struct):
    """Which page of what happened."""

    history: Annotated[int, Meta(ge=1, le=10_000)] = 1


class CustomerView(msgspec.Struct, frozen=True, kw_only=True):
    """The story. `answer` is to "why can't they book this?", of what `why_form` asks. `to_sign` are
    the titles of what waits for their signature.
    """

    story: CustomerStory
    base: str
    here: str
    zone: str
    history: HistoryView
    consents: list[Consent]
    declined: list[str]
    terms: str
    shared: dict[UUID, str]
    seat_states: dict[str, Word]
    note_form: Any
    tags_form: Any
    sessions: list[Choice]
    series: list[Choice]
    why_form: Any
    answer: Answer | None
    credits: list[LotRow]
    may_give: bool
    currency: str
    calendar: FeedRow | None
    is_owner: bool
    fees: list[FeeRow]
    fee_words: FeeWords
    signatures: list[SignatureRow]
    to_sign: list[str]
    groups: list[GroupOfCustomer]
    worksheets: OfCustomer


@get(ONE, guards=MAY_CARE, include_in_schema=False)
async def show_customer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
) -> Response[bytes]:
    """One who was merged is found under who is left."""
    return await _show(request, services, ctx, customer_id)


async def _show(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    customer_id: UUID,
    note_form: Bound[NoteForm] | None = None,
    tags_form: Bound[TagsForm] | None = None,
) -> Response[bytes]:
    why_form = bind(WhyForm, form_data(request.query_params))
    wanted = None if why_form.struct is None else why_form.struct.wanted()
    now: datetime = services.clock.now()
    async with services.uow_factory(ctx.here.id) as uow:
        story = await get_customer_story(uow, ctx.here, customer_id, now)
        if story.head.merged_into is not None:
            return redirect(request, f"{customers_path(ctx)}/{story.head.merged_into}")
        history = await list_history(uow, customer_id, number=_page_of(request))
        declined = await list_declined(uow, customer_id)
        calendar = await find_customer_feed(uow, customer_id)
        fees = await list_fees_of_customer(uow, customer_id)
        sessions = await list_session_choices(uow, ctx.here)
        series = await list_series_choices(uow)
        beside = await _beside_bookings(uow, customer_id)
        answer = None
        if wanted is not None:
            answer = await get_answer(uow, ctx.here, story.head, wanted, now)
    base, here = f"/app/{ctx.here.slug}", f"{customers_path(ctx)}/{customer_id}"
    tags = ", ".join(story.head.tags)
    view = CustomerView(
        story=story,
        base=base,
        here=here,
        zone=ctx.here.timezone,
        history=history_view(history, base, here, ctx.here.zone),
        consents=consents_of(story, ctx.here.booking_terms),
        declined=declined_words(declined),
        terms=ctx.here.booking_terms,
        shared={double.id: why_double(double) for double in story.doubles},
        seat_states=seat_words(),
        note_form=note_form or blank(NoteForm),
        tags_form=tags_form or blank(TagsForm, {"tags": tags}),
        sessions=sessions,
        series=series,
        why_form=why_form,
        answer=answer,
        may_give=ctx.here.entitlements.has(Feature.PACKAGES),
        currency=ctx.here.currency,
        fees=fees,
        fee_words=fee_words(),
        calendar=calendar,
        is_owner=ctx.actor.role is Role.OWNER,
        **beside,
    )
    status = REFUSED if note_form or tags_form or why_form.errors else 200
    return page(request, "booking/customers/show.html", view, status_code=status)


async def _beside_bookings(uow: UnitOfWork, customer_id: UUID) -> dict[str, Any]:
    """What the customer has of the business but bookings, by the view's fields."""
    return {
        "credits": await list_lots_of(uow, customer_id),
        "signatures": await list_signatures_of(uow, customer_id),
        "to_sign": [one.title for one in await find_waiting(uow, customer_id)],
        "groups": await list_groups_of(uow, customer_id),
        "worksheets": await sheets_of_customer(uow, customer_id),
    }


def _page_of(request: AnyRequest) -> int:
    """The first for what is no number of a page."""
    wanted = bind(HistoryQuery, form_data(request.query_params)).struct
    return wanted.history if wanted is not None else 1


@post(ONE + "/notes", **POST_OPTIONS, shown_at=ONE)
async def save_note(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
) -> Response[bytes]:
    form = bind(NoteForm, await read_form(request))
    if form.struct is None:
        return await _show(request, services, ctx, customer_id, note_form=form)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await add_note(uow, ctx, customer_id, form.struct.text)
    except InvalidInput as refusal:
        return await _show(request, services, ctx, customer_id, note_form=form.refused(refusal))
    flash(request, "success", _("The note is saved. Only staff can read it."))
    return redirect(request, f"{customers_path(ctx)}/{customer_id}#notes")


@post(ONE + "/notes/{note_id:uuid}/remove", **POST_OPTIONS)
async def take_note_away(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
    note_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        await remove_note(uow, ctx, customer_id, note_id)
    flash(request, "success", _("The note is gone."))
    return redirect(request, f"{customers_path(ctx)}/{customer_id}#notes")


@post(ONE + "/tags", **POST_OPTIONS, shown_at=ONE)
async def save_tags(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
) -> Response[bytes]:
    form = bind(TagsForm, await read_form(request))
    if form.struct is None:
        return await _show(request, services, ctx, customer_id, tags_form=form)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await set_tags(uow, ctx, customer_id, form.struct.tags)
    except InvalidInput as refusal:
        return await _show(request, services, ctx, customer_id, tags_form=form.refused(refusal))
    flash(request, "success", _("The tags are saved."))
    return redirect(request, f"{customers_path(ctx)}/{customer_id}#tags")


@get(ONE + "/edit", guards=MAY_CARE, include_in_schema=False)
async def edit_customer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
) -> Response[bytes]:
    head = await head_of(services, ctx, customer_id)
    if head.merged_into is not None:
        return redirect(request, f"{customers_path(ctx)}/{head.merged_into}/edit")
    return _editor(request, ctx, head, _blank(head), None)


@post(ONE + "/edit", **POST_OPTIONS)
async def save_customer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
) -> Response[bytes]:
    head = await head_of(services, ctx, customer_id)
    form = bind(CustomerForm, await read_form(request))
    if form.struct is None:
        return _editor(request, ctx, head, form, None)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            told = await correct_customer(
                uow, ctx, customer_id, form.struct.details(), readdress=form.struct.readdress
            )
    except InvalidInput as refusal:
        return _editor(request, ctx, head, form.refused(refusal), None)
    except KnownAddress as refusal:
        known = await head_of(services, ctx, refusal.customer_id)
        return _editor(request, ctx, head, form.with_errors({"email": refusal.message}), known)
    flash(request, "success", _saved(form.struct.name, told))
    return redirect(request, f"{customers_path(ctx)}/{customer_id}")


def _blank(head: CustomerHead) -> Bound[CustomerForm]:
    known = msgspec.structs.asdict(head)
    names = ("name", "email", "phone", "is_established")
    return blank(CustomerForm, {**{name: known[name] for name in names}, "readdress": True})


def _saved(name: str, told: Readdressed) -> str:
    return " ".join([_("“%(name)s” is saved.", name=name), *readdressed_words(told)])


def _editor(
    request: AnyRequest,
    ctx: RequestContext,
    head: CustomerHead,
    form: Bound[CustomerForm],
    known: CustomerHead | None,
) -> Response[bytes]:
    base = customers_path(ctx)
    view = CustomerFormView(
        form=form, head=head, known=known, base=base, back=f"{base}/{head.id}", what=""
    )
    status = REFUSED if form.errors or form.form_error else 200
    return page(request, "booking/customers/form.html", view, status_code=status)


route_handlers = [
    show_customer,
    save_note,
    take_note_away,
    save_tags,
    edit_customer,
    save_customer,
]
