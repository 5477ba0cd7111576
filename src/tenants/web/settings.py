"""/app/<slug>/settings: the profile, the clock, the colour, the booking terms."""

import re
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, available_locales, babel_locale, use_locale
from src.platform.services import Services
from src.platform.web.formats import datetime_local
from src.platform.web.forms import Bound, Email, bind, blank, form_data, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.commands.settings import (
    ChangeProfile,
    ChangeTimezone,
    Keep,
    change_profile,
    change_terms,
    change_timezone,
    check_timezone,
)
from src.tenants.context import RequestContext
from src.tenants.domain.places import COUNTRIES, CURRENCIES, timezones
from src.tenants.queries.settings import currency_lock, preview_timezone
from src.tenants.views.settings import MovedDate
from src.tenants.web.settings_tabs import MAY_SET, Tab, settings_path, settings_tabs

SeatsTold = Literal["always", "few", "never"]
FEW_SEATS = 3
_SOME_EVENING = datetime(2027, 3, 31, 18, tzinfo=UTC)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
ZONES = [(name, name.replace("_", " ")) for name in timezones()]


class ProfileForm(msgspec.Struct):
    """The profile as typed. What is empty is for the command to judge, all of it at once, and
    `few_seats` is read only where it counts.
    """

    business_name: Annotated[str, Meta(max_length=100)] = ""
    slug: Annotated[str, Meta(max_length=60)] = ""
    country: str = ""
    currency: str = ""
    locale: str = ""
    about: Annotated[str, Meta(max_length=2_000)] = ""
    contact_email: Email = ""
    contact_phone: Annotated[str, Meta(max_length=40)] = ""
    seats_told: SeatsTold = "always"
    few_seats: str = ""


class ZoneForm(msgspec.Struct):
    """Which timezone is looked at."""

    timezone: Annotated[str, Meta(max_length=60)]


class KeepForm(msgspec.Struct):
    """The last word on a change of the timezone; `old` is the one that was shown."""

    timezone: Annotated[str, Meta(max_length=60)]
    old: Annotated[str, Meta(max_length=60)]
    keep: Keep = "instants"


class TermsForm(msgspec.Struct):
    terms: Annotated[str, Meta(max_length=20_000)] = ""


class ProfileView(msgspec.Struct, frozen=True, kw_only=True):
    """The profile and, apart from it, the timezone."""

    tabs: list[Tab]
    form: Any
    zone_form: Any
    zone_action: str
    base: str
    countries: list[tuple[str, str]]
    currencies: list[tuple[str, str]]
    locales: list[tuple[str, str]]
    zones: list[tuple[str, str]]
    seats_told: list[tuple[str, str]]
    currency_lock: str | None


class TimezoneView(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of the timezone would do."""

    tabs: list[Tab]
    form: Any
    back_href: str
    old: str
    new: str
    total: int
    samples: list[MovedDate]


class TermsView(msgspec.Struct, frozen=True, kw_only=True):
    """The text that guests agree to."""

    tabs: list[Tab]
    form: Any


@get("/app/{slug:str}/settings", guards=MAY_SET, include_in_schema=False)
async def show_profile(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await _profile(request, services, ctx)


@post("/app/{slug:str}/settings", guards=MAY_SET, status_code=200, include_in_schema=False)
async def save_profile(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """Goes on at the new address when the slug changed; the old one leads there."""
    form = bind(ProfileForm, await read_form(request))
    if form.struct is None:
        return await _profile(request, services, ctx, form=form)
    cmd = _change_of(form.struct)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            slug = await change_profile(uow, ctx, cmd)
    except InvalidInput as refusal:
        return await _profile(request, services, ctx, form=form.refused(_at_the_form(refusal)))
    flash(request, "success", _("Your profile is saved."))
    return redirect(request, f"/app/{slug}/settings")


@get("/app/{slug:str}/settings/timezone", guards=MAY_SET, include_in_schema=False)
async def show_timezone_change(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """What would become of the dates ahead; nothing is changed by looking."""
    form = bind(ZoneForm, form_data(request.query_params))
    if form.struct is None:
        return await _profile(request, services, ctx, zone_form=form)
    try:
        check_timezone(form.struct.timezone, ctx.here.timezone)
    except InvalidInput as refusal:
        return await _profile(request, services, ctx, zone_form=form.refused(refusal))
    return await _timezone_change(request, services, ctx, form.struct.timezone)


@post("/app/{slug:str}/settings/timezone", guards=MAY_SET, status_code=200, include_in_schema=False)
async def save_timezone(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    form = bind(KeepForm, await read_form(request))
    if form.struct is None:
        flash(request, "warning", _("Please choose the timezone once more."))
        return redirect(request, settings_path(ctx))
    cmd = ChangeTimezone(old=form.struct.old, new=form.struct.timezone, keep=form.struct.keep)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await change_timezone(uow, ctx, cmd)
    except InvalidInput as refusal:
        zone_form = blank(ZoneForm, {"timezone": cmd.new}).refused(refusal)
        return await _profile(request, services, ctx, zone_form=zone_form)
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
        return redirect(request, settings_path(ctx))
    flash(request, "success", _("Your timezone is now %(zone)s.", zone=_readable(cmd.new)))
    return redirect(request, settings_path(ctx))


@get("/app/{slug:str}/settings/terms", guards=MAY_SET, include_in_schema=False)
async def show_terms(
    request: Request[Any, Any, Any], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    return _terms(request, ctx, blank(TermsForm, {"terms": ctx.here.booking_terms}))


@post("/app/{slug:str}/settings/terms", guards=MAY_SET, status_code=200, include_in_schema=False)
async def save_terms(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    form = bind(TermsForm, await read_form(request))
    if form.struct is None:
        return _terms(request, ctx, form, 422)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await change_terms(uow, ctx, form.struct.terms)
    except InvalidInput as refusal:
        return _terms(request, ctx, form.refused(refusal), 422)
    flash(request, "success", _("Your booking terms are saved."))
    return redirect(request, settings_path(ctx, "terms"))


def _terms(
    request: AnyRequest, ctx: RequestContext, form: Bound[TermsForm], status_code: int = 200
) -> Response[bytes]:
    view = TermsView(tabs=settings_tabs(ctx, "terms"), form=form)
    return page(request, "tenants/settings/terms.html", view, status_code=status_code)


async def _profile(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    *,
    form: Bound[ProfileForm] | None = None,
    zone_form: Bound[ZoneForm] | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        lock = await currency_lock(uow)
    view = ProfileView(
        tabs=settings_tabs(ctx, ""),
        form=form or blank(ProfileForm, _present(ctx)),
        zone_form=zone_form or blank(ZoneForm, {"timezone": ctx.here.timezone}),
        zone_action=settings_path(ctx, "timezone"),
        base=f"{services.settings.base_url}/b/",
        countries=sorted(COUNTRIES.items(), key=lambda pair: pair[1]),
        currencies=_currencies(ctx.here.currency, lock),
        locales=language_choices(ctx.here.locale),
        zones=_zones(ctx.here.timezone),
        seats_told=[
            ("always", _("Always say the exact number")),
            ("few", _("Say it only when few are left")),
            ("never", _("Never say it")),
        ],
        currency_lock=lock,
    )
    refused = form is not None or zone_form is not None
    template = "tenants/settings/profile.html"
    return page(request, template, view, status_code=422 if refused else 200)


def _change_of(form: ProfileForm) -> ChangeProfile:
    """At no number the few are none: that is refused, since never is a choice of its own."""
    typed = msgspec.structs.asdict(form)
    few = typed.pop("few_seats")
    up_to = int(few) if _NUMBER.fullmatch(few) else 0
    told = {"always": None, "few": up_to or -1, "never": 0}[typed.pop("seats_told")]
    return ChangeProfile(name=typed.pop("business_name"), seats_told_up_to=told, **typed)


def _at_the_form(refusal: InvalidInput) -> InvalidInput:
    fields = {
        "few_seats" if name == "seats_told_up_to" else name: said
        for name, said in refusal.fields.items()
    }
    return InvalidInput(refusal.message, fields=fields)


def _present(ctx: RequestContext) -> dict[str, Any]:
    kept = msgspec.structs.asdict(ctx.here)
    names = set(ProfileForm.__struct_fields__)
    present = {"business_name": ctx.here.name} | {k: v for k, v in kept.items() if k in names}
    up_to = ctx.here.seats_told_up_to
    told = "always" if up_to is None else "few" if up_to else "never"
    return present | {"seats_told": told, "few_seats": up_to or FEW_SEATS}


def _currencies(present: str, lock: str | None) -> list[tuple[str, str]]:
    """Only the present one where it cannot change any more."""
    return [(code, code) for code in CURRENCIES if lock is None or code == present]


def language_choices(present: str) -> list[tuple[str, str]]:
    """Each language by the name its speakers give it; of one that is there twice, with how either
    writes day and hour.
    """
    names = dict.fromkeys([*available_locales(), present])
    times = Counter(babel_locale(name).language for name in names)
    return [
        (name, _with_a_date(name) if times[babel_locale(name).language] > 1 else _name_of(name))
        for name in names
    ]


def _with_a_date(name: str) -> str:
    with use_locale(name):
        said = datetime_local(_SOME_EVENING, ZoneInfo("UTC"))
    return f"{_name_of(name)} · {said}"


def _name_of(name: str) -> str:
    locale = babel_locale(name)
    shown = str(locale.get_display_name(locale) or name)
    return shown[:1].upper() + shown[1:]


def _zones(present: str) -> list[tuple[str, str]]:
    """The list, with the present one even if it goes by a name that is no longer offered."""
    known = any(name == present for name, _label in ZONES)
    return ZONES if known else [(present, _readable(present)), *ZONES]


async def _timezone_change(
    request: AnyRequest, services: Services, ctx: RequestContext, new: str
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        total, samples = await preview_timezone(
            uow, ctx.here.zone, ZoneInfo(new), services.clock.now()
        )
    view = TimezoneView(
        tabs=settings_tabs(ctx, ""),
        form=blank(KeepForm, {"timezone": new, "old": ctx.here.timezone}),
        back_href=settings_path(ctx),
        old=_readable(ctx.here.timezone),
        new=_readable(new),
        total=total,
        samples=samples,
    )
    return page(request, "tenants/settings/timezone.html", view)


def _readable(zone: str) -> str:
    return zone.replace("_", " ")


route_handlers = [
    show_profile,
    save_profile,
    show_timezone_change,
    save_timezone,
    show_terms,
    save_terms,
]
