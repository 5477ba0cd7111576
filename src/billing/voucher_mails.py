"""A voucher as a mail with its page to print, and the buyer's own mail about it."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from babel.dates import format_date

from src.billing.domain.vouchers import last_day
from src.billing.models import Order, Voucher
from src.billing.views.mails import VoucherMail
from src.billing.voucher_links import purchase_path, voucher_path
from src.billing.voucher_pdf import VoucherSheet, voucher_pdf
from src.billing.words import refund_cause
from src.platform.config import Settings
from src.platform.i18n import _, current_babel_locale, use_locale
from src.platform.mail.queue import Attachment, Mail
from src.platform.money import Money, format_money
from src.platform.web.theme import printed_accent
from src.tenants.context import TenantSnapshot
from src.tenants.worded_mails import Wordings, render_worded

MailKey = Literal["voucher", "voucher_bought"]
Refunds = Sequence[tuple[str, str]]
"""Each by its order's reference and its cause."""


def voucher_sheet(
    settings: Settings, tenant: TenantSnapshot, voucher: Voucher, words: str
) -> VoucherSheet:
    """The page to print, in the voucher's own language."""
    color, ink = printed_accent(tenant.brand_color)
    with use_locale(voucher.locale):
        return VoucherSheet(
            business=tenant.name,
            color=color,
            ink=ink,
            amount=_amount(voucher),
            code=voucher.code,
            expires=valid_until(tenant, voucher),
            recipient=voucher.recipient_name,
            message=voucher.message,
            words=words,
            address=settings.base_url + voucher_path(settings, tenant.slug, voucher),
            contact=" · ".join(filter(None, (tenant.contact_email, tenant.contact_phone))),
        )


def print_voucher(
    settings: Settings, tenant: TenantSnapshot, voucher: Voucher, words: str
) -> Attachment:
    """The file that goes with a mail, and that its own page hands out."""
    sheet = voucher_sheet(settings, tenant, voucher, words)
    with use_locale(voucher.locale):
        content, name = voucher_pdf(sheet), _("voucher")
    return Attachment(
        filename=f"{name}-{voucher.code[-4:].lower()}.pdf",
        content_type="application/pdf",
        content=content,
    )


def valid_until(tenant: TenantSnapshot, voucher: Voucher) -> str:
    """In the current language."""
    if voucher.expires_at is None:
        return _("Valid without an end")
    return _("Valid until %(day)s", day=in_words(last_day(voucher.expires_at, tenant.zone)))


def voucher_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    voucher: Voucher,
    to: tuple[str, str],
    giver: str,
    words: str,
    wordings: Wordings,
    *,
    number: int,
    refunds: Refunds = (),
) -> Mail:
    """To whoever it is for, by address and name; `giver` is empty for who bought it themselves.

    `number` names the wish that it answers, `refunds` what it was given in place of.
    """
    address, name = to
    href = settings.base_url + voucher_path(settings, tenant.slug, voucher)
    view = voucher_view(tenant, voucher, name, giver, "", href, refunds)
    mail = _mail("voucher", tenant, view, address, wordings)
    attachments = (print_voucher(settings, tenant, voucher, words),)
    return Mail(**mail, attachments=attachments, dedupe_key=f"voucher:{voucher.id}:{number}")


def bought_mail(
    settings: Settings, tenant: TenantSnapshot, voucher: Voucher, order: Order, wordings: Wordings
) -> Mail:
    """To the buyer of a present: that it is paid, and when it goes to whom."""
    href = settings.base_url + purchase_path(settings, tenant.slug, order)
    view = voucher_view(tenant, voucher, order.guest_name, "", order.reference, href)
    mail = _mail("voucher_bought", tenant, view, order.guest_email, wordings)
    return Mail(**mail, dedupe_key=f"voucher-bought:{voucher.id}")


def voucher_view(
    tenant: TenantSnapshot,
    voucher: Voucher,
    name: str,
    giver: str,
    reference: str,
    href: str,
    refunds: Refunds = (),
) -> VoucherMail:
    with use_locale(voucher.locale):
        sent = _("It is sent to %(address)s at once.", address=voucher.recipient_email)
        if voucher.send_on is not None:
            sent = _(
                "It is sent to %(address)s on %(day)s.",
                address=voucher.recipient_email,
                day=in_words(voucher.send_on),
            )
        return VoucherMail(
            locale=voucher.locale,
            from_name=tenant.name,
            guest_name=name,
            giver=giver,
            amount=_amount(voucher),
            code=voucher.code,
            expires=valid_until(tenant, voucher),
            message=voucher.message if giver else "",
            sent=sent,
            reference=reference,
            contact=tenant.contact_email,
            href=href,
            instead=" ".join(
                _(
                    "You get it instead of money back for order %(reference)s: %(why)s.",
                    reference=order_reference,
                    why=refund_cause(cause),
                )
                for order_reference, cause in refunds
            ),
        )


def _mail(
    key: MailKey, tenant: TenantSnapshot, view: VoucherMail, address: str, wordings: Wordings
) -> dict[str, Any]:
    words = render_worded(key, view, view.locale, wordings)
    return {
        "kind": f"billing.{key}",
        "to_address": address,
        "to_name": view.guest_name,
        "from_name": tenant.name,
        "reply_to": tenant.contact_email or None,
        "subject": words.subject,
        "text": words.text,
        "html": words.html,
    }


def in_words(on: date) -> str:
    """31 December 2029, in the current language."""
    return str(format_date(on, "long", locale=current_babel_locale()))


def _amount(voucher: Voucher) -> str:
    return format_money(Money(voucher.initial_minor, voucher.currency), voucher.locale)
