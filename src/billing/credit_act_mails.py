"""The mail about credits that staff changed, and its words."""

import msgspec
from sqlalchemy import select

from src.billing.credit_mails import OF_PACKAGES, credits_in_words, end_in_words
from src.billing.credit_words import how_to_use_credits
from src.billing.domain.credit_acts import CreditAct
from src.billing.events import CreditsChanged
from src.billing.models import CreditLot
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, current_locale, ngettext, use_locale
from src.platform.ids import new_id
from src.platform.mail.queue import Mail
from src.platform.money import Money, format_money
from src.tenants.context import TenantSnapshot
from src.tenants.models import Customer
from src.tenants.worded_mails import (
    BUSINESS,
    CONTACT,
    CUSTOMER_NAME,
    SHIPPED,
    MailKind,
    Placeholder,
    Preview,
    Wordings,
    register_mail_kind,
    render_worded,
)

NAME = "credits_changed"

_TAKING = (CreditAct.REFUNDED, CreditAct.REMOVED)
"""After which nothing may be left that could be good until a day."""


class CreditActMail(msgspec.Struct, frozen=True, kw_only=True):
    """To a customer whose credits somebody changed. `change` says what was done, in the customer's
    language, `reason` why. `has_left`: what is left is told; `has_end`: until when as well.
    """

    locale: str
    from_name: str
    guest_name: str
    package_name: str
    sessions_remaining: str
    package_expiry: str
    change: str
    reason: str
    contact: str
    href: str
    has_left: bool = True
    has_end: bool = True


def credits_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    customer: Customer,
    lot: CreditLot,
    event: CreditsChanged,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """To the customer's own address: what was done, why, and what they have now."""
    locale = customer.locale or tenant.locale
    with use_locale(locale):
        view = CreditActMail(
            locale=locale,
            from_name=tenant.name,
            guest_name=customer.name,
            package_name=lot.name,
            sessions_remaining=credits_in_words(lot.balance, locale),
            package_expiry=end_in_words(lot.expires_at, tenant, locale),
            change=_change(event, lot, tenant),
            reason=event.reason,
            contact=tenant.contact_email,
            href=f"{settings.base_url}/b/{tenant.slug}/me",
            has_left=_tells_what_is_left(event, lot),
            has_end=_tells_what_is_left(event, lot)
            and (lot.balance > 0 or event.act not in _TAKING),
        )
    rendered = render_worded(NAME, view, locale, wordings)
    return Mail(
        kind=f"billing.{NAME}",
        to_address=customer.email or "",
        to_name=customer.name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        dedupe_key=f"{NAME}:{event.key}:{event.act}",
    )


def _tells_what_is_left(event: CreditsChanged, lot: CreditLot) -> bool:
    """Money alone that did not come back leaves the credits as they were, and who has the money for
    all that was left, or whose purchase ended, knows it.
    """
    if event.act == CreditAct.REFUND_FAILED:
        return event.number > 0
    is_by_itself = event.act != CreditAct.REFUNDED and not event.with_purchase
    return is_by_itself or lot.balance > 0


def _change(event: CreditsChanged, lot: CreditLot, tenant: TenantSnapshot) -> str:
    count = event.number
    match CreditAct(event.act):
        case CreditAct.GIVEN | CreditAct.ROLLED_OVER:
            said = ngettext("You have %(num)s new credit.", "You have %(num)s new credits.", count)
            return f"{said} {how_to_use_credits(count)}"
        case CreditAct.ADDED:
            return ngettext("%(num)s credit was added.", "%(num)s credits were added.", count)
        case CreditAct.REMOVED:
            return _taken_off(event, lot)
        case CreditAct.EXTENDED | CreditAct.SHORTENED:
            return _new_end(event, lot, tenant)
        case CreditAct.REFUNDED:
            return _refunded(event, lot)
        case CreditAct.REFUND_FAILED:
            return _refund_failed(event, lot)


def _taken_off(event: CreditsChanged, lot: CreditLot) -> str:
    said = ngettext(
        "%(num)s credit was taken off.", "%(num)s credits were taken off.", event.number
    )
    if not event.with_purchase:
        return said
    why = ngettext(
        "The booking that it came from was cancelled.",
        "The booking that they came from was cancelled.",
        event.number,
    )
    return " ".join([said, why, *_given_back(event, lot)])


def _new_end(event: CreditsChanged, lot: CreditLot, tenant: TenantSnapshot) -> str:
    if lot.expires_at is None:
        return _("Your credits never end now.")
    day = end_in_words(lot.expires_at, tenant, current_locale())
    if event.act == CreditAct.EXTENDED:
        return _("Your credits are good for longer: until %(day)s.", day=day)
    return _("Your credits end sooner than before: on %(day)s.", day=day)


def _refunded(event: CreditsChanged, lot: CreditLot) -> str:
    """What a voucher had paid is on it at once; the rest goes the way it came. A part of the money
    that is tried again may be one with which no credit had left.
    """
    said = []
    if event.number:
        said.append(
            ngettext(
                "%(num)s credit that you had not used is gone.",
                "%(num)s credits that you had not used are gone.",
                event.number,
            )
        )
    return " ".join([*said, *_given_back(event, lot)])


def _given_back(event: CreditsChanged, lot: CreditLot) -> list[str]:
    """What goes back for them, each way that it goes."""
    said = []
    if event.to_voucher_minor:
        amount = _money(lot, event.to_voucher_minor)
        said.append(_("%(amount)s is on the voucher again that you paid with.", amount=amount))
    if event.new_voucher_minor:
        amount = _money(lot, event.new_voucher_minor)
        said.append(_("You get a voucher for %(amount)s.", amount=amount))
    others = event.by_hand_minor + event.to_voucher_minor + event.new_voucher_minor
    if other_minor := event.amount_minor - others:
        amount = _money(lot, other_minor)
        said.append(
            _(
                "%(amount)s is on its way back as you paid it; banks take up to ten days.",
                amount=amount,
            )
        )
    if event.by_hand_minor:
        amount = _money(lot, event.by_hand_minor)
        is_only = event.by_hand_minor == event.amount_minor
        said.append(
            _("You get %(amount)s back from us.", amount=amount)
            if is_only
            else _("You get another %(amount)s back from us.", amount=amount)
        )
    return said


def _refund_failed(event: CreditsChanged, lot: CreditLot) -> str:
    """None of the credits are back where they have ended meanwhile."""
    said = [
        _("The refund of %(amount)s did not go through.", amount=_money(lot, event.amount_minor))
    ]
    if event.number:
        said.append(
            ngettext(
                "%(num)s credit that had gone with it is yours again.",
                "%(num)s credits that had gone with it are yours again.",
                event.number,
            )
        )
    said.append(_("We have been told and are looking into it."))
    return " ".join(said)


def _money(lot: CreditLot, minor: int) -> str:
    return format_money(Money(minor, lot.currency), current_locale())


async def _preview(uow: UnitOfWork, asked: Preview) -> Mail:
    """With the newest credits and the newest customer of the business, or made-up ones."""
    lot = await uow.session.scalar(
        select(CreditLot)
        .where(CreditLot.tenant_id == uow.tenant)
        .order_by(CreditLot.created_at.desc(), CreditLot.id.desc())
        .limit(1)
    )
    known = await uow.session.scalar(
        select(Customer)
        .where(Customer.tenant_id == uow.tenant, Customer.email.is_not(None))
        .order_by(Customer.created_at.desc(), Customer.id.desc())
        .limit(1)
    )
    with use_locale(asked.locale):
        made_up = CreditLot(
            id=new_id(), name=_("10 sessions"), balance=7, currency=asked.tenant.currency
        )
        shown = Customer(
            name=_("Alex Example") if known is None else known.name,
            email="alex@example.com",
            locale=asked.locale,
        )
        reason = _("Our hall was closed for a week.")
    event = CreditsChanged(
        lot_id=new_id(), act=str(CreditAct.ADDED), key="preview", number=1, reason=reason
    )
    return credits_mail(asked.settings, asked.tenant, shown, lot or made_up, event, asked.wordings)


def register_credit_act_mail() -> None:
    register_mail_kind(
        MailKind(
            key=NAME,
            template="billing/credits_changed",
            title=N_("Credits changed"),
            occasion=N_(
                "When you give, add, remove, extend, shorten or refund credits, and when such a"
                " refund fails."
            ),
            starter_subject=N_("Your credits: {package_name}"),
            starter=N_(
                "Hello {customer_name},\n\n{change} {reason}\n\n{package_name}:"
                " {sessions_remaining}, {package_expiry}\n\n{booking_link}\n\n{business}"
            ),
            button=N_("See your credits"),
            placeholders=(
                CUSTOMER_NAME,
                BUSINESS,
                Placeholder(
                    name="change", label=N_("What you did"), value=lambda view: view.change
                ),
                Placeholder(
                    name="reason", label=N_("The reason you gave"), value=lambda view: view.reason
                ),
                *OF_PACKAGES,
                Placeholder(
                    name="booking_link",
                    label=N_("The guest's own page; alone in a paragraph, a button"),
                    value=lambda view: view.href,
                ),
                CONTACT,
            ),
            needed=("change",),
            preview=_preview,
            place=2,
        )
    )
