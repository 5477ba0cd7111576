"""/b/<slug>/me/profile: what guests say about themselves, and how they are written to."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.calendar_links import hold_customer, linked_to
from src.booking.commands.feeds import FeedMadeBefore, make_customer_feed, revoke_customer_feed
from src.booking.commands.own_details import (
    KnownAddress,
    OwnDetails,
    address_not_free,
    ask_for_own_address,
    change_own_details,
    take_own_address,
)
from src.booking.domain.kinds import FeedKind
from src.booking.queries.broadcasts import gets_news
from src.booking.queries.feeds import find_customer_feed
from src.booking.queries.guest_groups import is_in_groups
from src.booking.queries.worksheet_copies import count_files_of
from src.booking.views.portal import OwnAddressView, PortalProfileView
from src.booking.web.customer_feeds import MADE_BY_CUSTOMER
from src.booking.web.feeds import feed_part, feed_token, shown_before, stopped_words
from src.platform.errors import Gone, InvalidInput, TooManyRequests
from src.platform.i18n import _
from src.platform.ratelimit import Limit, Outage
from src.platform.services import Services
from src.platform.web.forms import Bound, Email, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.commands.customers import normalise_email
from src.tenants.commands.mail_choices import choose_mails
from src.tenants.context import RequestContext
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.portal_links import new_address_behind
from src.tenants.portal_sections import Portal, portal_head
from src.tenants.queries.mail_choices import wants_mails
from src.tenants.queries.portal import find_portal_guest
from src.tenants.web.portal import open_portal, portal_guest, portal_path, sign_in_guest
from src.tenants.web.portal_sign_in import BY_LINK, GUESTS, MAILS_BY_ADDRESS, ME, PRIVATE
from src.tenants.web.settings import language_choices

AnyRequest = Request[Any, Any, Any]
PROFILE = f"{ME}/profile"
ADDRESSES_BY_CUSTOMER = Limit("portal-address", 5, 60 * 60, Outage.COUNT_HERE)


class DetailsForm(msgspec.Struct):
    name: Annotated[str, Meta(max_length=200)] = ""
    phone: Annotated[str, Meta(max_length=60)] = ""
    locale: Annotated[str, Meta(max_length=20)] | None = None


class NewAddressForm(msgspec.Struct):
    email: Email


class MailsForm(msgspec.Struct):
    """Which mails are wanted; an unticked box is one that is not. Only who is in a group is asked
    about `groups`, with `asked_groups`: the page of anybody else has said nothing of them.
    """

    marketing: bool = False
    reminders: bool = False
    groups: bool = False
    asked_groups: bool = False


@get(PROFILE, opt=GUESTS)
async def show_profile(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    return await _page(request, services, ctx, portal)


@post(PROFILE, opt=GUESTS, status_code=200)
async def save_details(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    form = bind(DetailsForm, await read_form(request))
    if form.struct is None:
        return await _page(request, services, ctx, portal, form=form)
    wanted = OwnDetails(
        name=form.struct.name,
        phone=form.struct.phone,
        locale=portal.guest.locale or "" if form.struct.locale is None else form.struct.locale,
    )
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await change_own_details(uow, ctx, portal.guest, wanted)
    except InvalidInput as refusal:
        return await _page(request, services, ctx, portal, form=form.refused(refusal))
    flash(request, "success", _("Saved."))
    return redirect(request, f"{portal.path}/profile")


@post(f"{PROFILE}/mails", opt=GUESTS, status_code=200)
async def save_mails(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """News that were never agreed to are agreed to by this."""
    portal = await open_portal(request, services, ctx)
    form = bind(MailsForm, await read_form(request))
    wanted = form.struct or MailsForm()
    customer_id = portal.guest.customer_id
    async with services.uow_factory(ctx.here.id) as uow:
        if wanted.marketing != await gets_news(uow, customer_id):
            await choose_mails(
                uow, customer_id, MailTopic.MARKETING, wants=wanted.marketing, agrees=True
            )
        await choose_mails(uow, customer_id, MailTopic.REMINDERS, wants=wanted.reminders)
        if wanted.asked_groups:
            await choose_mails(uow, customer_id, MailTopic.GROUPS, wants=wanted.groups)
    flash(request, "success", _("Saved."))
    return redirect(request, f"{portal.path}/profile#mails")


@post(f"{PROFILE}/address", opt=GUESTS, status_code=200)
async def ask_for_address(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The same answer whoever's the address is by now."""
    portal = await open_portal(request, services, ctx)
    form = bind(NewAddressForm, await read_form(request))
    if form.struct is None:
        return await _page(request, services, ctx, portal, address_form=form)
    try:
        whose = f"{ctx.here.id}:{normalise_email(form.struct.email)}"
        await services.limiter.check(ADDRESSES_BY_CUSTOMER, str(portal.guest.customer_id))
        await services.limiter.check(MAILS_BY_ADDRESS, whose)
        async with services.uow_factory(ctx.here.id) as uow:
            ask_for_own_address(uow, portal.guest, form.struct.email)
    except InvalidInput as refusal:
        again = form.refused(refusal)
        return await _page(request, services, ctx, portal, address_form=again)
    except TooManyRequests as refusal:
        again = form.with_errors({"email": refusal.message})
        return await _page(request, services, ctx, portal, address_form=again, status=429)
    said = _("A mail with a link is on its way there. Until you follow it, nothing changes.")
    flash(request, "success", said)
    return redirect(request, f"{portal.path}/profile")


@get(f"{ME}/address/{{address:str}}", opt=BY_LINK)
async def show_new_address(
    request: AnyRequest,
    address: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """A button: looking changes nothing."""
    try:
        wanted = new_address_behind(services.settings, address, ctx.here.id, services.clock.now())
    except Gone as refusal:
        return _over(request, ctx, refusal)
    async with services.uow_factory(ctx.here.id) as uow:
        guest = await find_portal_guest(uow, wanted.proved)
    if guest is None:
        return _over(request, ctx, Gone(_("This link was used already, or is too old.")))
    view = OwnAddressView(
        email=wanted.email,
        business=ctx.here.name,
        action=f"{portal_path(ctx)}/address/{address}",
    )
    return page(request, "booking/portal/address.html", view, headers=PRIVATE)


@post(f"{ME}/address/{{address:str}}", opt=BY_LINK, status_code=200)
async def take_new_address(
    request: AnyRequest,
    address: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Who follows the link has proved the new address, and is signed in with it."""
    try:
        wanted = new_address_behind(services.settings, address, ctx.here.id, services.clock.now())
        async with services.uow_factory(ctx.here.id) as uow:
            proved = await take_own_address(uow, ctx, wanted)
    except Gone as refusal:
        return _over(request, ctx, refusal)
    except (KnownAddress, InvalidInput):
        flash(request, "warning", address_not_free())
        is_in = await portal_guest(request, services, ctx) is not None
        return redirect(request, f"{portal_path(ctx)}/{'profile' if is_in else 'sign-in'}")
    await sign_in_guest(request, services, ctx, proved)
    flash(request, "success", _("This is your address from now on."))
    return redirect(request, f"{portal_path(ctx)}/profile")


@post(f"{PROFILE}/calendar", opt=GUESTS, status_code=200)
async def share_own_dates(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Answers with the address itself, in a page that no cache keeps."""
    portal = await open_portal(request, services, ctx)
    await services.limiter.check(MADE_BY_CUSTOMER, str(portal.guest.customer_id))
    linked = linked_to(portal.guest.customer_id, portal.guest.email)
    feed_id = await feed_token(request)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            made = await make_customer_feed(uow, linked, feed_id)
    except FeedMadeBefore:
        return shown_before(request, f"{portal.path}/profile#calendar")
    return await _page(request, services, ctx, portal, made=made)


@get([f"{PROFILE}/calendar", f"{PROFILE}/address"], opt=GUESTS)
async def show_part_of_profile(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """What stands in the address bar after a form of the profile was sent leads back to it."""
    portal = await open_portal(request, services, ctx)
    if not request.url.path.endswith("/calendar"):
        return redirect(request, f"{portal.path}/profile")
    async with services.uow_factory(ctx.here.id) as uow:
        is_shared = await find_customer_feed(uow, portal.guest.customer_id) is not None
    path = f"{portal.path}/profile#calendar"
    return shown_before(request, path) if is_shared else redirect(request, path)


@post(f"{PROFILE}/calendar/revoke", opt=GUESTS, status_code=200)
async def stop_sharing_own_dates(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    linked = linked_to(portal.guest.customer_id, portal.guest.email)
    async with services.uow_factory(ctx.here.id) as uow:
        await revoke_customer_feed(uow, [await hold_customer(uow, linked)])
    flash(request, "success", stopped_words())
    return redirect(request, f"{portal.path}/profile#calendar")


def _over(request: AnyRequest, ctx: RequestContext, refusal: Gone) -> Response[bytes]:
    flash(request, "warning", refusal.message)
    return redirect(request, f"{portal_path(ctx)}/profile")


async def _page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    portal: Portal,
    *,
    form: Bound[DetailsForm] | None = None,
    address_form: Bound[NewAddressForm] | None = None,
    made: str | None = None,
    status: int | None = None,
) -> Response[bytes]:
    guest = portal.guest
    async with services.uow_factory(ctx.here.id) as uow:
        row = await find_customer_feed(uow, guest.customer_id)
        in_groups = await is_in_groups(uow, guest.customer_id)
        files = await count_files_of(uow, guest.customer_id)
        wanted = {
            "marketing": await gets_news(uow, guest.customer_id),
            "reminders": await wants_mails(uow, guest.customer_id, MailTopic.REMINDERS),
            "groups": await wants_mails(uow, guest.customer_id, MailTopic.GROUPS),
        }
    known = {"name": guest.name, "phone": guest.phone, "locale": guest.locale or ctx.here.locale}
    feed = feed_part(
        services,
        ctx,
        FeedKind.CUSTOMER,
        _("All your dates in your calendar"),
        _("What you book later comes by itself, and what is moved or cancelled follows."),
        f"{portal.path}/profile/calendar",
        row,
        {} if made is None else {FeedKind.CUSTOMER: made},
    )
    view = PortalProfileView(
        head=portal_head(portal, "profile"),
        form=form or blank(DetailsForm, known),
        address_form=address_form or blank(NewAddressForm),
        mails_form=blank(MailsForm, wanted),
        in_groups=in_groups,
        languages=language_choices(ctx.here.locale),
        feed=feed,
        files=files,
        files_href=f"{portal.path}/worksheets",
        zone=ctx.here.zone,
    )
    failed = (form is not None and form.errors) or (address_form is not None)
    code = status or (422 if failed else 200)
    template = "booking/portal/profile.html"
    return page(request, template, view, status_code=code, headers=PRIVATE)


route_handlers: list[Any] = [
    show_profile,
    save_details,
    save_mails,
    ask_for_address,
    show_new_address,
    take_new_address,
    share_own_dates,
    show_part_of_profile,
    stop_sharing_own_dates,
]
