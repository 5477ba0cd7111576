"""The mails about parts of a price: one that is coming or is to be paid by hand, was paid, was not,
or need not be.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from src.billing.domain.parts import to_pay
from src.billing.lines import handlers_of
from src.billing.models import Instalment, Order
from src.billing.queries.what_was_bought import what_was_bought
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, use_locale
from src.platform.localtime import to_local
from src.platform.mail.queue import Mail, queue_mail
from src.platform.money import Money, format_money
from src.platform.web.formats import day_medium
from src.tenants.context import TenantSnapshot
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings
from src.tenants.worded_mails import SHIPPED, Wordings, render_worded

COMING, PAID, FAILED = "part_coming", "part_paid", "part_failed"
OVERDUE, WAIVED = "part_overdue", "part_waived"
TO_PAY = "part_to_pay"

BY_HAND = (TO_PAY, FAILED, OVERDUE)
"""Those that ask their guest to pay, or say that they can."""


class PartMail(msgspec.Struct, frozen=True, kw_only=True):
    """To who pays in parts; every word is in their language. `part` is such as "part 2 of 4", `day`
    the one that it is about, and `said` what happens or has happened. `rest` says what is still to
    pay, empty where nothing is.
    """

    locale: str
    from_name: str
    guest_name: str
    reference: str
    what: str
    part: str
    amount: str
    day: str
    subject: str
    said: str
    rest: str
    button: str
    contact: str
    href: str


class AboutPart(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail is about: `parts` are those that it names, and `all_parts` all of the order's.
    `mark` tells the mail from others about the same.
    """

    order: Order
    parts: Sequence[Instalment]
    all_parts: Sequence[Instalment]
    what: str
    path: str
    mark: str


async def about_parts(
    uow: UnitOfWork,
    settings: Settings,
    tenant: TenantSnapshot,
    order: Order,
    parts: Sequence[Instalment],
    all_parts: Sequence[Instalment],
    mark: str,
) -> AboutPart:
    with use_locale(order.locale):
        what = await what_was_bought(uow, order, tenant.zone)
    handlers = await handlers_of(uow, order)
    path = handlers[0].guest_path(settings, tenant.slug, order) if handlers else f"/b/{tenant.slug}"
    return AboutPart(order=order, parts=parts, all_parts=all_parts, what=what, path=path, mark=mark)


async def tell_of_parts(
    uow: UnitOfWork, settings: Settings, tenant: TenantSnapshot, kind: str, about: AboutPart
) -> None:
    """Who has no address reads it on their page."""
    if about.order.guest_email:
        mail = part_mail(settings, tenant, kind, about, await find_wordings(uow))
        await queue_mail(uow, mail, host=settings.host)


async def remind_of_part(
    uow: UnitOfWork,
    settings: Settings,
    order: Order,
    part: Instalment,
    all_parts: Sequence[Instalment],
    *,
    has_card: bool,
) -> None:
    """In the transaction that notes it, so that it is once. Without a card that can be charged its
    guest is asked to pay.
    """
    tenant = await tenant_snapshot(uow, uow.tenant, uow.clock.now())
    mark = _day(COMING, part, tenant).isoformat()
    about = await about_parts(uow, settings, tenant, order, [part], all_parts, mark)
    await tell_of_parts(uow, settings, tenant, COMING if has_card else TO_PAY, about)


def part_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    kind: str,
    about: AboutPart,
    wordings: Wordings = SHIPPED,
) -> Mail:
    order, parts = about.order, about.parts
    with use_locale(order.locale):
        first = parts[0]
        amount = _money(order, sum(part.minor for part in parts))
        named = _named(parts, len(about.all_parts))
        day = day_medium(_day(kind, first, tenant))
        view = PartMail(
            locale=order.locale,
            from_name=tenant.name,
            guest_name=order.guest_name,
            reference=order.reference,
            what=about.what,
            part=named,
            amount=amount,
            day=day,
            subject=_subject(kind, amount, about.what, day),
            said=_said(kind, amount, named, about.what, day, tenant.name),
            rest=_rest(order, about.all_parts) if kind in (PAID, WAIVED) else "",
            button=_("See and pay the parts") if kind in BY_HAND else _("See the parts"),
            contact=tenant.contact_email,
            href=settings.base_url + about.path,
        )
    words = render_worded(kind, view, order.locale, wordings)
    version = f":{order.link_version}" if order.link_version else ""
    return Mail(
        kind=f"billing.{kind}",
        to_address=order.guest_email,
        to_name=order.guest_name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=f"{kind}:{first.id}:{about.mark}{version}",
    )


def _day(kind: str, part: Instalment, tenant: TenantSnapshot) -> date:
    """Of one that is announced, or could not be charged, when it is charged."""
    if kind in (COMING, TO_PAY, FAILED) and part.next_try_at is not None:
        return to_local(part.next_try_at, tenant.zone).date()
    return part.due_on


def _named(parts: Sequence[Instalment], of: int) -> str:
    if len(parts) == 1:
        return _("part %(number)s of %(of)s", number=parts[0].number, of=of)
    numbers = {"first": parts[0].number, "last": parts[-1].number, "of": of}
    return _("parts %(first)s to %(last)s of %(of)s", **numbers)


def _subject(kind: str, amount: str, what: str, day: str) -> str:
    says = {"amount": amount, "what": what, "day": day}
    if kind == COMING:
        return _("%(amount)s for %(what)s will be charged on %(day)s", **says)
    if kind == TO_PAY:
        return _("Please pay %(amount)s for %(what)s before %(day)s", **says)
    if kind == PAID:
        return _("Your payment of %(amount)s for %(what)s", amount=amount, what=what)
    if kind == FAILED:
        return _("Your card did not pay %(amount)s for %(what)s", amount=amount, what=what)
    if kind == OVERDUE:
        return _("Please pay %(amount)s for %(what)s", amount=amount, what=what)
    return _("You need not pay %(amount)s for %(what)s", amount=amount, what=what)


def _said(kind: str, amount: str, part: str, what: str, day: str, business: str) -> str:
    says = {"amount": amount, "part": part, "what": what}
    if kind == COMING:
        return _(
            "%(amount)s will be charged to your card on %(day)s: %(part)s of “%(what)s”. You need"
            " not do anything; you can also pay it before, on the page below.",
            day=day,
            **says,
        )
    if kind == PAID:
        return _("%(amount)s was paid: %(part)s of “%(what)s”. Thank you.", **says)
    if kind in BY_HAND:
        return _said_by_hand(kind, day, says)
    return _(
        "%(business)s lets you off %(amount)s: %(part)s of “%(what)s”. You need not pay it.",
        business=business,
        **says,
    )


def _said_by_hand(kind: str, day: str, says: Mapping[str, str]) -> str:
    if kind == TO_PAY:
        return _(
            "%(amount)s falls due on %(day)s: %(part)s of “%(what)s”. It is not charged to a card"
            " any more, so please pay it before that day, on the page below.",
            day=day,
            **says,
        )
    if kind == FAILED:
        return _(
            "%(amount)s could not be charged to your card: %(part)s of “%(what)s”. We try again on"
            " %(day)s. If your bank wants to check that it is you, or the card is not to be used"
            " any more, please pay it on the page below.",
            day=day,
            **says,
        )
    return _(
        "%(amount)s fell due on %(day)s and is not paid: %(part)s of “%(what)s”. It is not charged"
        " to a card any more. Please pay it on the page below; your credits stay as they are.",
        day=day,
        **says,
    )


def _rest(order: Order, parts: Sequence[Instalment]) -> str:
    left = to_pay(parts)
    if not left:
        return _("Nothing is left to pay.")
    return _(
        "Next: %(amount)s on %(day)s.",
        amount=_money(order, left[0].minor),
        day=day_medium(left[0].due_on),
    )


def _money(order: Order, minor: int) -> str:
    return format_money(Money(minor, order.currency), order.locale)
