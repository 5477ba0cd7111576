"""What owners and managers set for the whole business."""

from typing import Any, Literal, NoReturn
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from sqlalchemy import func, select

from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _, available_locales
from src.platform.web.theme import is_accent
from src.tenants.commands.audit import audit
from src.tenants.commands.signup import NewBusiness, check_business
from src.tenants.context import RequestContext
from src.tenants.domain.phones import public_phone
from src.tenants.domain.slugs import normalise_slug
from src.tenants.events import TimezoneChanged
from src.tenants.models import Tenant, TenantSlug
from src.tenants.queries.settings import currency_lock

MOST_SLUGS = 20
LONGEST_ABOUT, LONGEST_TERMS = 2_000, 20_000
MOST_FEW_SEATS = 99

Keep = Literal["instants", "wall_clock"]


class ChangeProfile(msgspec.Struct, frozen=True, kw_only=True):
    """All of the profile but the timezone, which has a step of its own. Guests read how many seats
    are left while it is no more than `seats_told_up_to`: never at 0, always where it is None.
    """

    name: str
    slug: str
    about: str
    contact_email: str
    contact_phone: str
    country: str
    currency: str
    locale: str
    seats_told_up_to: int | None


class ChangeTimezone(msgspec.Struct, frozen=True, kw_only=True):
    """`old` is the timezone that the person saw when choosing."""

    old: str
    new: str
    keep: Keep


async def change_profile(uow: UnitOfWork, ctx: RequestContext, cmd: ChangeProfile) -> str:
    """Stores what differs and returns the slug; a slug left behind stays this business's own.

    Raises: InvalidInput with every field that will not do.
    """
    tenant = await _locked(uow)
    phone = await _check_profile(uow, tenant, cmd)
    wanted: dict[str, Any] = {
        "name": " ".join(cmd.name.split()),
        "slug": normalise_slug(cmd.slug),
        "about": cmd.about.strip(),
        "contact_email": cmd.contact_email.strip(),
        "contact_phone": phone,
        "country": cmd.country,
        "currency": cmd.currency,
        "locale": cmd.locale,
        "seats_told_up_to": cmd.seats_told_up_to,
    }
    if wanted["slug"] != tenant.slug:
        await _reserve_slug(uow, wanted["slug"])
    changed = _apply(tenant, wanted)
    if changed:
        await audit(uow, ctx, "settings.profile_changed", "tenant", tenant.id, changed=changed)
    return tenant.slug


async def change_timezone(uow: UnitOfWork, ctx: RequestContext, cmd: ChangeTimezone) -> None:
    """Sets the business's clock and lets what lies ahead follow or stay, as `keep` says.

    Raises: InvalidInput for a zone that is none or the present one; Conflict when somebody else
    changed the timezone since it was shown.
    """
    check_timezone(cmd.new, cmd.old)
    tenant = await _locked(uow)
    if tenant.timezone != cmd.old:
        raise Conflict(_("Somebody changed the timezone meanwhile. Please look again."))
    tenant.timezone = cmd.new
    uow.record(TimezoneChanged(old=cmd.old, new=cmd.new, keep=cmd.keep))
    detail = {"before": cmd.old, "after": cmd.new, "keep": cmd.keep}
    await audit(uow, ctx, "settings.timezone_changed", "tenant", tenant.id, **detail)


def check_timezone(new: str, old: str) -> ZoneInfo:
    """The zone of that name. Raises: InvalidInput when there is none or it is the present one."""
    if new not in available_timezones():
        _refuse("timezone", _("Please choose a timezone from the list."))
    if new == old:
        _refuse("timezone", _("This is the timezone you have already."))
    return ZoneInfo(new)


async def change_accent(uow: UnitOfWork, ctx: RequestContext, accent_hex: str) -> None:
    """Raises: InvalidInput for anything but a colour."""
    if not is_accent(accent_hex):
        _refuse("brand_color", _("Please give a colour like #0f766e."))
    tenant = await _locked(uow)
    before = tenant.brand_color
    if _apply(tenant, {"brand_color": accent_hex.lower()}):
        detail = {"before": before, "after": tenant.brand_color}
        await audit(uow, ctx, "settings.accent_changed", "tenant", tenant.id, **detail)


async def change_terms(uow: UnitOfWork, ctx: RequestContext, terms: str) -> None:
    """Raises: InvalidInput for a text that is too long."""
    text = terms.strip()
    if len(text) > LONGEST_TERMS:
        _refuse("terms", _("Please use at most %(most)s characters.", most=LONGEST_TERMS))
    tenant = await _locked(uow)
    if _apply(tenant, {"booking_terms": text}):
        await audit(uow, ctx, "settings.terms_changed", "tenant", tenant.id, length=len(text))


async def _locked(uow: UnitOfWork) -> Tenant:
    """The tenant's row, held so that two people's changes come one after the other."""
    tenant = await uow.session.scalar(
        select(Tenant).where(Tenant.id == uow.tenant).with_for_update()
    )
    if tenant is None:
        raise NotFound(_("There is nothing here."))
    return tenant


async def _check_profile(uow: UnitOfWork, tenant: Tenant, cmd: ChangeProfile) -> str:
    """The phone number as it will be shown. Raises: InvalidInput."""
    wrong: dict[str, str] = {}
    try:
        await check_business(uow, _as_business(tenant, cmd), except_tenant=tenant.id)
    except InvalidInput as refusal:
        wrong = dict(refusal.fields)
    if len(cmd.about.strip()) > LONGEST_ABOUT:
        wrong["about"] = _("Please use at most %(most)s characters.", most=LONGEST_ABOUT)
    phone = public_phone(cmd.contact_phone, cmd.country) if cmd.contact_phone.strip() else ""
    if phone is None:
        wrong["contact_phone"] = _(
            "This is not a phone number. One from abroad begins with + and the country."
        )
    if cmd.locale not in {*available_locales(), tenant.locale}:
        wrong["locale"] = _("Please choose a language from the list.")
    if cmd.currency != tenant.currency and (lock := await currency_lock(uow)) is not None:
        wrong["currency"] = lock
    if cmd.seats_told_up_to is not None and not 0 <= cmd.seats_told_up_to <= MOST_FEW_SEATS:
        said = _("Please give a number from 1 to %(most)s.", most=MOST_FEW_SEATS)
        wrong["seats_told_up_to"] = said
    if wrong:
        raise InvalidInput(_("Please look at the marked fields."), fields=wrong)
    return phone or ""


def _as_business(tenant: Tenant, cmd: ChangeProfile) -> NewBusiness:
    return NewBusiness(
        name=cmd.name,
        slug=cmd.slug,
        timezone=tenant.timezone,
        currency=cmd.currency,
        country=cmd.country,
    )


async def _reserve_slug(uow: UnitOfWork, slug: str) -> None:
    """Makes the slug this business's for good; one it had before is its own already."""
    if await uow.session.scalar(select(TenantSlug).where(TenantSlug.slug == slug)) is not None:
        return
    had = select(func.count()).where(TenantSlug.tenant_id == uow.tenant)
    if (await uow.session.scalar(had) or 0) >= MOST_SLUGS:
        _refuse("slug", _("You have had many addresses. Please go back to one of those."))
    uow.session.add(TenantSlug(slug=slug, tenant_id=uow.tenant, created_at=uow.clock.now()))


def _apply(tenant: Tenant, wanted: dict[str, Any]) -> list[str]:
    """Sets what differs; the names of it, sorted."""
    changed = sorted(name for name, value in wanted.items() if getattr(tenant, name) != value)
    for name in changed:
        setattr(tenant, name, wanted[name])
    return changed


def _refuse(field: str, sentence: str) -> NoReturn:
    raise InvalidInput(sentence, fields={field: sentence})
