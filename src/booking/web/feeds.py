"""Calendar feeds: the file that programs read, and the pages where it is shared and taken back."""

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.commands.orders import get_order
from src.booking.commands.feeds import (
    FeedMadeBefore,
    make_booking_feed,
    make_member_feed,
    note_reading,
    open_feed,
    revoke_booking_feed,
    revoke_member_feed,
)
from src.booking.domain.kinds import FeedKind
from src.booking.feed_files import feed_calendar
from src.booking.guest_links import booking_path, open_link
from src.booking.queries.feeds import find_booking_feed, find_member_feeds, get_feed_content
from src.booking.views.feeds import FeedPart, FeedRow, FeedsView
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.ratelimit import Limit
from src.platform.services import Services
from src.platform.web.cookies import header_of
from src.platform.web.forms import bind, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

AnyRequest = Request[Any, Any, Any]

MEMBERS = [requires_member(Role.INSTRUCTOR)]
MANAGERS = [requires_member(Role.MANAGER)]
PUBLIC_FILE = {"public": "The secret in the address is the key to this one calendar."}
PUBLIC = {"public": "The signed link is the key to this one booking.", "while_suspended": True}
HOME = "/app/{slug:str}/calendar/feeds"
GUESTS = "/b/{slug:str}/bookings/{token:str}/feed"
READS_BY_FEED = Limit("calendar-feed", 60, 10 * 60)
MADE_BY_ORDER = Limit("calendar-feed-made", 20, 10 * 60)
PRIVATE = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}
FILE_HEADERS = {
    "cache-control": "private, no-cache",
    "content-disposition": 'inline; filename="calendar.ics"',
    "x-robots-tag": "noindex",
}
NOT_MODIFIED = 304


class FeedForm(msgspec.Struct):
    """What makes an address; see `FeedPart`."""

    token: UUID | None = None


@get("/b/{slug:str}/feeds/{secret:str}/calendar.ics", opt=PUBLIC_FILE)
async def read_feed(
    request: AnyRequest,
    secret: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The calendar, or only that it is the one which the program has. Raises: NotFound, Gone."""
    await services.limiter.check(READS_BY_FEED, f"{ctx.here.id}:{secret[:32]}")
    async with services.uow_factory(ctx.here.id) as uow:
        feed = await open_feed(uow, secret)
        content = await get_feed_content(uow, ctx.here, services.settings, feed)
        digest = content.digest()
        note_reading(feed, digest, services.clock.now())
        changed_at = feed.changed_at
    etag = f'"{digest[:32]}"'
    headers = {
        **FILE_HEADERS,
        "etag": etag,
        "last-modified": format_datetime(changed_at.astimezone(UTC), usegmt=True),
    }
    if _has_it(request, etag, changed_at):
        return Response(b"", status_code=NOT_MODIFIED, media_type="text/calendar", headers=headers)
    written = await asyncio.to_thread(feed_calendar, content, changed_at)
    return Response(written, media_type="text/calendar", headers=headers)


def _has_it(request: AnyRequest, etag: str, changed_at: datetime) -> bool:
    """By tag where the program sends one, and by time only where it does not."""
    tags = header_of(request.scope, b"if-none-match")
    if tags:
        return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in tags.split(","))
    try:
        since = parsedate_to_datetime(header_of(request.scope, b"if-modified-since"))
    except (TypeError, ValueError):
        return False
    return since.tzinfo is not None and since >= changed_at.replace(microsecond=0)


@get(HOME, guards=MEMBERS, include_in_schema=False)
async def show_feeds(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await _members_page(request, services, ctx)


@post(f"{HOME}/own", guards=MEMBERS, status_code=200, include_in_schema=False, shown_at=HOME)
async def make_own_feed(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await _make(request, services, ctx, FeedKind.OWN)


@post(f"{HOME}/business", guards=MANAGERS, status_code=200, include_in_schema=False, shown_at=HOME)
async def make_business_feed(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await _make(request, services, ctx, FeedKind.BUSINESS)


@post(f"{HOME}/own/revoke", guards=MEMBERS, status_code=200, include_in_schema=False)
async def revoke_own_feed(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await _revoke(request, services, ctx, FeedKind.OWN)


@post(f"{HOME}/business/revoke", guards=MANAGERS, status_code=200, include_in_schema=False)
async def revoke_business_feed(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await _revoke(request, services, ctx, FeedKind.BUSINESS)


@get(GUESTS, opt=PUBLIC)
async def show_booking_feed(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Where a guest shares the dates of this one booking with their calendar program."""
    order_id = await _order_id(services, ctx, token)
    return await _guests_page(request, services, ctx, order_id)


@post(GUESTS, opt=PUBLIC, status_code=200)
async def share_booking(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Answers with the address itself, in a page that no cache keeps."""
    order_id = await _order_id(services, ctx, token)
    await services.limiter.check(MADE_BY_ORDER, str(order_id))
    async with services.uow_factory(ctx.here.id) as uow:
        if (await get_order(uow, order_id)).confirmed_at is None:
            raise NotFound(_("This booking has no date for a calendar."))
    feed_id = await feed_token(request)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            made = await make_booking_feed(uow, order_id, feed_id)
    except FeedMadeBefore:
        return shown_before(request, f"/b/{ctx.here.slug}/bookings/{token}/feed")
    return await _guests_page(request, services, ctx, order_id, made)


@post(f"{GUESTS}/revoke", opt=PUBLIC, status_code=200)
async def stop_sharing_booking(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    order_id = await _order_id(services, ctx, token)
    async with services.uow_factory(ctx.here.id) as uow:
        await revoke_booking_feed(uow, order_id)
    flash(request, "success", stopped_words())
    return redirect(request, f"/b/{ctx.here.slug}/bookings/{token}/feed")


async def _make(
    request: AnyRequest, services: Services, ctx: RequestContext, kind: FeedKind
) -> Response[bytes]:
    """Answers with the address itself, in a page that no cache keeps."""
    feed_id = await feed_token(request)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            made = await make_member_feed(uow, ctx, kind, feed_id)
    except FeedMadeBefore:
        return shown_before(request, f"/app/{ctx.here.slug}/calendar/feeds")
    return await _members_page(request, services, ctx, {kind: made})


async def _revoke(
    request: AnyRequest, services: Services, ctx: RequestContext, kind: FeedKind
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        await revoke_member_feed(uow, ctx, kind)
    flash(request, "success", stopped_words())
    return redirect(request, f"/app/{ctx.here.slug}/calendar/feeds")


async def feed_token(request: AnyRequest) -> UUID | None:
    """The id that the form gives to what it makes."""
    form = bind(FeedForm, await read_form(request)).struct
    return form.token if form is not None else None


def shown_before(request: AnyRequest, path: str) -> Response[bytes]:
    """Where the page that shows a new address is loaded again: it still holds, and is not shown."""
    said = _(
        "This address was shown once and cannot be shown again. If you did not copy it, make a new"
        " one."
    )
    flash(request, "warning", said)
    return redirect(request, path)


def stopped_words() -> str:
    return _("The address has ended. Calendar programs get nothing under it any more.")


async def _members_page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    made: dict[FeedKind, str] | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await find_member_feeds(uow, ctx.user_id)
    words = {
        FeedKind.OWN: (
            _("Your sessions"),
            _("The sessions that you lead, with how many places are taken."),
        ),
        FeedKind.BUSINESS: (
            _("The whole business"),
            _("Every session, with who leads it and how many places are taken."),
        ),
    }
    if ctx.actor.role is Role.INSTRUCTOR:
        del words[FeedKind.BUSINESS]
    base = f"/app/{ctx.here.slug}/calendar"
    parts = [
        feed_part(services, ctx, kind, *text, f"{base}/feeds/{kind}", rows.get(kind), made or {})
        for kind, text in words.items()
    ]
    view = FeedsView(parts=parts, back=base, zone=ctx.here.timezone)
    return page(request, "booking/calendar/feeds.html", view, headers=PRIVATE)


async def _guests_page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    order_id: UUID,
    made: str | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        order = await get_order(uow, order_id)
        row = await find_booking_feed(uow, order_id)
    back = booking_path(services.settings, ctx.here.slug, order)
    part = feed_part(
        services,
        ctx,
        FeedKind.BOOKING,
        _("The dates of this booking"),
        _("If a date is moved or cancelled, your calendar follows by itself."),
        f"{back}/feed",
        row,
        {} if made is None else {FeedKind.BOOKING: made},
    )
    view = FeedsView(parts=[part], back=back, zone=ctx.here.timezone, ask_path=f"{back}/feed/all")
    return page(request, "booking/guest/feed.html", view, headers=PRIVATE)


def feed_part(
    services: Services,
    ctx: RequestContext,
    kind: FeedKind,
    title: str,
    text: str,
    path: str,
    row: FeedRow | None,
    made: dict[FeedKind, str],
) -> FeedPart:
    key = made.get(kind)
    start = f"{services.settings.base_url}/b/{ctx.here.slug}/feeds"
    return FeedPart(
        id=str(kind),
        token=new_id(),
        title=title,
        text=text,
        path=path,
        row=row,
        made=None if key is None else f"{start}/{key}/calendar.ics",
    )


async def _order_id(services: Services, ctx: RequestContext, token: str) -> UUID:
    """Raises: NotFound, Gone."""
    return await open_link(services, ctx, token)


route_handlers: list[Any] = [
    read_feed,
    show_feeds,
    make_own_feed,
    make_business_feed,
    revoke_own_feed,
    revoke_business_feed,
    show_booking_feed,
    share_booking,
    stop_sharing_booking,
]
