"""The mails about a package that was bought, as businesses may word them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.credit_mails import OF_PACKAGES, credits_in_words, end_in_words
from src.billing.domain.kinds import CALLED_OFF_WHY, GIVEN_UP_WHY
from src.billing.domain.package_sale import WAITS_FOR_MONEY
from src.billing.domain.parts import to_pay
from src.billing.models import CreditLot, Instalment, Order
from src.billing.queries.never_paid import was_never_paid
from src.billing.views.receipts import TaxSum
from src.booking.guest_links import package_path
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, ngettext, use_locale
from src.platform.mail.queue import Mail
from src.platform.money import Money, format_money
from src.platform.web.formats import date_medium, day_medium, percent
from src.tenants.context import TenantSnapshot
from src.tenants.worded_mails import (
    BUSINESS,
    CONTACT,
    CUSTOMER_NAME,
    REFERENCE,
    SHIPPED,
    MailKind,
    Placeholder,
    Preview,
    Wordings,
    has_words_for,
    register_mail_kind,
    render_worded,
)

BOUGHT, LAPSED = "package_bought", "package_lapsed"

STANDING = Placeholder(
    name="standing",
    label=N_("Whether the credits can be used, or wait to be paid"),
    value=lambda view: view.standing,
)
PRICE = Placeholder(
    name="money", label=N_("What is paid or owed"), value=lambda view: view.money_line
)
REASON = Placeholder(
    name="reason",
    label=N_("How it ended: not paid for, given up, or cancelled by you"),
    value=lambda view: view.reason,
)
_PLACEHOLDERS = (
    CUSTOMER_NAME,
    BUSINESS,
    *OF_PACKAGES,
    REFERENCE,
    Placeholder(
        name="booking_link",
        label=N_("The page of the purchase; alone in a paragraph, a button"),
        value=lambda view: view.booking_url,
    ),
    CONTACT,
)


class PackageMail(msgspec.Struct, frozen=True, kw_only=True):
    """To the buyer of a package; every word is in their language. `standing` says whether the
    credits can be used by now, `pay_by` until when it can be paid on site before it lapses, empty
    where it does not wait for that, `money_line` what was paid or is owed. `is_never_paid`: its
    transfer had been noted by mistake. `on_voucher` says what of its end is on a voucher again.
    """

    locale: str
    from_name: str
    contact: str
    guest_name: str
    reference: str
    package_name: str
    sessions_remaining: str
    package_expiry: str
    standing: str
    pay_by: str
    money_line: str
    booking_url: str
    is_given_up: bool = False
    is_called_off: bool = False
    is_never_paid: bool = False
    on_voucher: str = ""

    @property
    def reason(self) -> str:
        """How one that was not paid for ended."""
        if self.is_given_up:
            return _("You have given it up.")
        if self.is_never_paid:
            return " ".join(filter(None, (self.never_paid, self.on_voucher)))
        if self.is_called_off:
            return _("%(business)s has cancelled it before it was paid.", business=self.from_name)
        return _("It was not paid for, so it has lapsed.")

    @property
    def never_paid(self) -> str:
        """Why one is cancelled whose transfer had been noted by mistake."""
        return _(
            "%(business)s has cancelled this purchase, since your transfer for it has not come: it"
            " had been noted by mistake.",
            business=self.from_name,
        )


def package_mail(
    key: str,
    settings: Settings,
    tenant: TenantSnapshot,
    order: Order,
    lot: CreditLot,
    wordings: Wordings = SHIPPED,
    *,
    taxes: Sequence[TaxSum] = (),
    parts: Sequence[Instalment] = (),
    again: UUID | None = None,
    to_voucher_minor: int = 0,
) -> Mail:
    """One for each state of the lot and each corrected address, and each time that it came to that
    state `again`, however often it is asked for. `taxes` are those in the order's price, and
    `parts` those that it is paid in; of it `to_voucher_minor` is on a voucher again by this.
    """
    with use_locale(order.locale):
        on_voucher = _on_voucher(order, to_voucher_minor)
        is_back = key == BOUGHT and again is not None
        waits_until = order.created_at + WAITS_FOR_MONEY
        pay_by = date_medium(waits_until, tenant.zone) if _waits_on_site(order, lot) else ""
        view = PackageMail(
            locale=order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=order.guest_name,
            reference=order.reference,
            package_name=lot.name,
            sessions_remaining=credits_in_words(lot.balance or lot.bought, order.locale),
            package_expiry=_end(lot.expires_at, lot, tenant, order.locale),
            standing=_standing(order, lot, pay_by, on_voucher, is_back=is_back),
            pay_by=pay_by,
            money_line=" · ".join((_money_line(order, lot, parts), *_tax_words(order, taxes))),
            booking_url=settings.base_url + package_path(settings, tenant.slug, order),
            is_given_up=order.closed_why == GIVEN_UP_WHY,
            is_called_off=order.closed_why == CALLED_OFF_WHY,
            is_never_paid=was_never_paid(order),
            on_voucher=on_voucher,
        )
    words = render_worded(key, view, order.locale, _true_words(key, view, wordings))
    version = f":{order.link_version}" if order.link_version else ""
    return Mail(
        kind=key,
        to_address=order.guest_email,
        to_name=order.guest_name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=f"{key}:{order.id}:{lot.state}{version}" + (f":{again}" if again else ""),
    )


def _true_words(key: str, view: PackageMail, wordings: Wordings) -> Wordings:
    """The business's own, unless they do not say how it ended: those were written when it could
    only lapse, and may say so.
    """
    lapsed = not (view.is_given_up or view.is_called_off)
    says = key != LAPSED or lapsed or has_words_for(key, REASON.name, view.locale, wordings)
    return wordings if says else SHIPPED


def _end(expires_at: datetime | None, lot: CreditLot, tenant: TenantSnapshot, locale: str) -> str:
    """What is not paid yet has no last day, only a number of days."""
    if expires_at is None and lot.validity_days:
        return ngettext(
            "%(num)s day after it is paid", "%(num)s days after it is paid", lot.validity_days
        )
    return end_in_words(expires_at, tenant, locale)


def _waits_on_site(order: Order, lot: CreditLot) -> bool:
    return order.payment_mode == "on_site" and lot.state == "pending"


def _on_voucher(order: Order, minor: int) -> str:
    if not minor:
        return ""
    return _("%(amount)s is on your voucher again.", amount=_money(order, minor))


def _standing(order: Order, lot: CreditLot, pay_by: str, on_voucher: str, *, is_back: bool) -> str:
    if pay_by:
        return _(
            "You can use the credits as soon as you have paid. If it is not paid by %(day)s, it"
            " lapses by itself and you owe nothing.",
            day=pay_by,
        )
    if lot.state == "pending":
        return _("You can use the credits as soon as you have paid.")
    if on_voucher:
        owed = _("There are no credits, and you owe nothing.")
        return f"{owed} {on_voucher}"
    if lot.state == "void" and order.voucher_minor:
        return _("There are no credits, and what your voucher had paid goes back to it.")
    if lot.state == "void":
        return _("There are no credits, and you owe nothing.")
    use = _(
        "You can use the credits now: choose a date, sign in with this address, and choose your"
        " credits as the way to pay."
    )
    if is_back:
        return " ".join((_("Your transfer came after all, so this is yours again."), use))
    return use


def _parts_line(order: Order, parts: Sequence[Instalment]) -> str:
    """What was paid, and when the rest will be."""
    later = ", ".join(
        _("%(amount)s on %(day)s", amount=_money(order, part.minor), day=day_medium(part.due_on))
        for part in to_pay(parts)
    )
    paid, total = _money(order, order.paid_minor), _money(order, order.total_minor)
    said = _("Paid: %(paid)s of %(total)s", paid=paid, total=total)
    return " · ".join(filter(None, (said, later and _("Charged later: %(parts)s", parts=later))))


def _money_line(order: Order, lot: CreditLot, parts: Sequence[Instalment]) -> str:
    if not order.total_minor:
        return _("Free of charge")
    if parts:
        return _parts_line(order, parts)
    waits = _waits_on_site(order, lot)
    owed = _("To pay on site: %(amount)s", amount=_money(order, order.to_pay_minor))
    said = [owed if waits else _("Paid: %(amount)s", amount=_money(order, order.total_minor))]
    if order.voucher_minor and waits:
        said.insert(0, _("Paid by voucher: %(amount)s", amount=_money(order, order.voucher_minor)))
    elif order.voucher_minor:
        by_voucher = _money(order, order.voucher_minor)
        said.append(_("of it by voucher: %(amount)s", amount=by_voucher))
    return " · ".join(said)


def _tax_words(order: Order, taxes: Sequence[TaxSum]) -> list[str]:
    return [
        _(
            "Tax inside, %(rate)s: %(amount)s",
            rate=percent(tax.rate_bp / 10_000),
            amount=_money(order, tax.minor),
        )
        for tax in taxes
    ]


def _money(order: Order, minor: int) -> str:
    return format_money(Money(minor, order.currency), order.locale)


def register_package_mails() -> None:
    for kind in _KINDS:
        register_mail_kind(kind)


def _shown(key: str, state: str) -> Callable[[UnitOfWork, Preview], Awaitable[Mail]]:
    """With the business's latest purchase, or a made-up one where there is none yet."""

    async def preview(uow: UnitOfWork, asked: Preview) -> Mail:
        found = await uow.session.execute(
            select(Order, CreditLot)
            .join(
                CreditLot,
                (CreditLot.tenant_id == Order.tenant_id) & (CreditLot.order_id == Order.id),
            )
            .where(Order.tenant_id == uow.tenant, CreditLot.source == "package")
            .order_by(Order.created_at.desc(), Order.id.desc())
            .limit(1)
        )
        row = found.first()
        order, lot = (row[0], row[1]) if row is not None else _made_up(uow, asked)
        if row is not None:
            # They are shown in another language, and stay as they are.
            uow.session.expunge(order)
            uow.session.expunge(lot)
        order.locale, lot.state = asked.locale, state
        return package_mail(key, asked.settings, asked.tenant, order, lot, asked.wordings)

    return preview


def _made_up(uow: UnitOfWork, asked: Preview) -> tuple[Order, CreditLot]:
    now = uow.clock.now()
    with use_locale(asked.locale):
        name, called = _("Alex Example"), _("10 sessions")
    order = Order(
        tenant_id=uow.tenant,
        id=uow.tenant,
        reference="ABC-123",
        payment_mode="online",
        currency=asked.tenant.currency,
        total_minor=12_000,
        voucher_minor=0,
        paid_minor=12_000,
        guest_name=name,
        guest_email="alex@example.com",
        link_version=0,
        created_at=now,
    )
    lot = CreditLot(name=called, balance=10, bought=10, validity_days=0, expires_at=None)
    return order, lot


_KINDS = (
    MailKind(
        key=BOUGHT,
        template="booking/package_bought",
        title=N_("A package was bought"),
        occasion=N_(
            "When a package is bought, and again when it was paid on site, or when its transfer"
            " came after all."
        ),
        starter_subject=N_("Yours: {package_name}"),
        starter=N_(
            "Hello {customer_name},\n\nYou have {sessions_remaining} of “{package_name}”, until"
            " {package_expiry}.\n\n{standing}\n\n{money}\nReference: {reference}\n\n"
            "{booking_link}\n\n{business}"
        ),
        button=N_("See your package"),
        placeholders=(*_PLACEHOLDERS, STANDING, PRICE),
        needed=("standing",),
        preview=_shown(BOUGHT, "active"),
        place=1,
    ),
    MailKind(
        key=LAPSED,
        template="booking/package_lapsed",
        title=N_("A package that was not paid for"),
        occasion=N_(
            "When a package to be paid on site lapses, is given up, or is cancelled, or a transfer"
            " that paid for one was noted by mistake."
        ),
        starter_subject=N_("Not yours any more: {package_name}"),
        starter=N_(
            "Hello {customer_name},\n\nThis is about “{package_name}”. {reason} You owe"
            " nothing.\n\n{booking_link}\n\n{business}"
        ),
        button=N_("See your package"),
        placeholders=(*_PLACEHOLDERS, REASON),
        needed=("package_name", "reason"),
        preview=_shown(LAPSED, "void"),
        place=1,
    ),
)
