"""The dashboard's door: which business, and what is left to do before guests can come."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.pages import page, redirect
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.domain.roles import Role, reaches
from src.tenants.web.guards import requires_member, requires_sign_in
from src.tenants.web.middleware import context_of, has_context, person_of
from src.tenants.web.theme import theme_href

Probe = Callable[[UnitOfWork, TenantSnapshot], Awaitable[bool]]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do before guests can book; its words are looked up when shown.

    An optional one is shown and ticked like the others, and does not keep the list open. One that
    leads to a page of owners is shown to owners only.
    """

    key: str
    title: Callable[[], str]
    sentence: Callable[[], str]
    path: str
    probe: Probe
    is_optional: bool = False
    role: Role = Role.MANAGER


_steps: dict[str, Step] = {}


def register_onboarding_step(step: Step) -> None:
    """Adds a step to the list of every business, in order of registration."""
    _steps[step.key] = step


class StepView(NamedTuple):
    """A step as the checklist shows it."""

    title: str
    text: str
    href: str
    done: bool


class StartView(msgspec.Struct, frozen=True, kw_only=True):
    """The onboarding list; `contact_email` is the one that guests read."""

    name: str
    steps: list[StepView]
    hub_url: str
    is_confirmed: bool
    email: str
    contact_email: str
    settings_href: str
    today_href: str
    is_done: bool
    """Whether the address is confirmed and nothing is left but what is optional."""


async def start_view(services: Services, request: Request[Any, Any, Any]) -> StartView:
    """The list as it stands now."""
    ctx, person = context_of(request), person_of(request)
    tenant, role = ctx.here, ctx.actor.role or Role.INSTRUCTOR
    reached = [step for step in _steps.values() if reaches(role, step.role)]
    async with services.uow_factory(tenant.id) as uow:
        steps = [await _shown(uow, tenant, step) for step in reached]
    is_confirmed = person is not None and person.is_email_confirmed
    left = [one for step, one in zip(reached, steps, strict=True) if not step.is_optional]
    return StartView(
        name=tenant.name,
        steps=steps,
        hub_url=f"{services.settings.base_url}/b/{tenant.slug}",
        is_confirmed=is_confirmed,
        email=person.email if person is not None else "",
        contact_email=tenant.contact_email,
        settings_href=f"/app/{tenant.slug}/settings",
        today_href=f"/app/{tenant.slug}/today",
        is_done=is_confirmed and bool(left) and all(one.done for one in left),
    )


async def _shown(uow: UnitOfWork, tenant: TenantSnapshot, step: Step) -> StepView:
    return StepView(
        title=step.title(),
        text=step.sentence(),
        done=await step.probe(uow, tenant),
        href=f"/app/{tenant.slug}{step.path}",
    )


@get("/app", guards=[requires_sign_in], include_in_schema=False)
async def choose_business(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Straight into the only business; a choice among several; a first one where there is none."""
    person = person_of(request)
    businesses = person.businesses if person is not None else ()
    if person is not None and not businesses:
        return redirect(request, "/admin" if person.is_platform_admin else "/app/new")
    if len(businesses) == 1:
        return redirect(request, f"/app/{businesses[0].slug}")
    return page(request, "tenants/choose.html", ChoiceView(businesses))


class ChoiceView(msgspec.Struct):
    businesses: tuple[Any, ...]


@get("/app/{slug:str}", guards=[requires_member()], include_in_schema=False)
async def open_business(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """Owners with steps left go to the list, all others to today."""
    if ctx.actor.role == Role.OWNER and not (await start_view(services, request)).is_done:
        return redirect(request, f"/app/{ctx.here.slug}/start")
    return redirect(request, f"/app/{ctx.here.slug}/today")


@get("/app/{slug:str}/start", guards=[requires_member(Role.MANAGER)], include_in_schema=False)
async def show_start(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    return page(request, "tenants/start.html", await start_view(services, request))


class NavItem(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the dashboard's navigation."""

    label: str
    href: str
    icon: str
    active: bool


class Banner(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the whole dashboard should know."""

    text: str
    tone: str = "info"
    href: str | None = None
    label: str = ""


def navigation(slug: str, path: str, role: Role) -> list[NavItem]:
    """The places this role reaches, the one that `path` is in marked."""
    places = [
        (_("Today"), "today", "sun"),
        (_("Calendar"), "calendar", "calendar-days"),
        (_("Sessions"), "sessions", "list-checks"),
    ]
    if role is Role.INSTRUCTOR:
        places += [(_("My hours"), "hours", "clock")]
    else:
        places += [
            (_("Services"), "services", "layout-grid"),
            (_("Series"), "series", "layers"),
            (_("Packages"), "packages", "shopping-bag"),
            (_("Collections"), "collections", "library"),
            (_("Credits"), "credits", "wallet"),
            (_("Coupons"), "coupons", "ticket"),
            (_("Vouchers"), "vouchers", "banknote"),
            (_("Agreements"), "agreements", "file-text"),
            (_("Worksheets"), "worksheets", "list-checks"),
            (_("Customers"), "customers", "users"),
            (_("Groups"), "groups", "user-plus"),
            (_("Orders"), "orders", "receipt"),
        ]
    if role is Role.OWNER:
        places += [(_("Getting paid"), "payments", "credit-card")]
    if role is not Role.INSTRUCTOR:
        places += [
            (_("Plan and bolt-ons"), "plan", "gauge"),
            (_("Settings"), "settings", "settings"),
        ]
    return [
        NavItem(
            label=label,
            href=f"/app/{slug}/{place}",
            icon=icon,
            active=path.startswith(f"/app/{slug}/{place}"),
        )
        for label, place, icon in places
    ]


def page_context(request: Request[Any, Any, Any], now: datetime) -> Mapping[str, Any]:
    """Who and where for every page, navigation and banner for those below /app."""
    if not has_context(request):
        return {}
    ctx, person = context_of(request), person_of(request)
    found: dict[str, Any] = {"user": person}
    if ctx.tenant is None:
        return found
    tenant = ctx.tenant
    found["tenant"] = tenant
    found["theme_href"] = theme_href(tenant)
    path = request.scope["path"]
    if path.startswith("/app/") and ctx.actor.role is not None:
        found["nav"] = navigation(tenant.slug, path, ctx.actor.role)
        found["banner"] = _banner(tenant, ctx.actor.role, now)
    return found


def _banner(tenant: TenantSnapshot, role: Role, now: datetime) -> Banner | None:
    """The most pressing of: an address to confirm, a trial that runs out; for who may do something
    about it.
    """
    if not reaches(role, Role.MANAGER):
        return None
    if not tenant.is_confirmed:
        return Banner(
            text=_("Confirm your e-mail address, so that guests can book."),
            tone="warning",
            href=f"/app/{tenant.slug}/start",
            label=_("What to do"),
        )
    ends_at = tenant.entitlements.trial_ends_at
    if ends_at is None:
        return None
    # Days on the business's calendar, as the plan page counts them.
    last, today = to_local(ends_at, tenant.zone).date(), to_local(now, tenant.zone).date()
    days = max((last - today).days, 0)
    plan = tenant.entitlements.plan_name
    return Banner(
        text=ngettext(
            "%(plan)s trial: %(num)s day left.",
            "%(plan)s trial: %(num)s days left.",
            days,
            plan=plan,
        ),
        href=f"/app/{tenant.slug}/plan",
        label=_("See plans"),
    )


route_handlers = [choose_business, open_business, show_start]
