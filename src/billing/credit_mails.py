"""Mails about a lot of credits, as businesses may word them."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select

from src.billing.models import CreditLot
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, ngettext, use_locale
from src.platform.mail.queue import Mail
from src.platform.web.formats import date_long
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

PACKAGE_NAME = Placeholder(
    name="package_name",
    label=N_("What the credits are called"),
    value=lambda view: view.package_name,
)
SESSIONS_REMAINING = Placeholder(
    name="sessions_remaining",
    label=N_("How many credits are left"),
    value=lambda view: view.sessions_remaining,
)
PACKAGE_EXPIRY = Placeholder(
    name="package_expiry",
    label=N_("Until when the credits can be used"),
    value=lambda view: view.package_expiry,
)
OF_PACKAGES = (PACKAGE_NAME, SESSIONS_REMAINING, PACKAGE_EXPIRY)
"""Every mail in which credits mean something knows these; without any they are empty."""

_PLACEHOLDERS = (
    CUSTOMER_NAME,
    BUSINESS,
    *OF_PACKAGES,
    Placeholder(
        name="booking_link",
        label=N_("Their credits; alone in a paragraph, a button"),
        value=lambda view: view.href,
    ),
    CONTACT,
)


class CreditMail(msgspec.Struct, frozen=True, kw_only=True):
    """About one lot, to who owns it; in a mail about its end `sessions_remaining` are those that
    were lost, `count` the same as a number.
    """

    locale: str
    from_name: str
    guest_name: str
    package_name: str
    sessions_remaining: str
    package_expiry: str
    count: int
    contact: str
    href: str


def credit_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    key: str,
    owner: Customer,
    lot: CreditLot,
    count: int,
    wordings: Wordings = SHIPPED,
    *,
    dedupe_key: str,
) -> Mail:
    """A mail of kind `key` in the owner's language, or else the business's."""
    locale = owner.locale or tenant.locale
    view = CreditMail(
        locale=locale,
        from_name=tenant.name,
        guest_name=owner.name,
        package_name=lot.name,
        sessions_remaining=credits_in_words(count, locale),
        package_expiry=end_in_words(lot.expires_at, tenant, locale),
        count=count,
        contact=tenant.contact_email,
        href=f"{settings.base_url}/b/{tenant.slug}/me",
    )
    return _mail(key, view, tenant, owner.email or "", owner.name, wordings, dedupe_key)


def _mail(
    key: str,
    view: CreditMail,
    tenant: TenantSnapshot,
    address: str,
    name: str,
    wordings: Wordings,
    dedupe_key: str,
) -> Mail:
    words = render_worded(key, view, view.locale, wordings)
    return Mail(
        kind=f"billing.{key}",
        to_address=address,
        to_name=name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=dedupe_key,
    )


def credits_in_words(count: int, locale: str) -> str:
    """As "3 credits", in the language."""
    with use_locale(locale):
        return ngettext("%(num)s credit", "%(num)s credits", count)


def end_in_words(expires_at: datetime | None, tenant: TenantSnapshot, locale: str) -> str:
    """The last day by the business's clock, or that there is none."""
    with use_locale(locale):
        if expires_at is None:
            return _("without an end")
        return date_long(expires_at, tenant.zone)


def register_credit_mails() -> None:
    for kind in _KINDS:
        register_mail_kind(kind)


def _shown(key: str) -> Callable[[UnitOfWork, Preview], Awaitable[Mail]]:
    """With the business's latest credits, or made-up ones where there are none yet."""

    async def preview(uow: UnitOfWork, asked: Preview) -> Mail:
        tenant, locale = asked.tenant, asked.locale
        latest = await uow.session.execute(
            select(CreditLot, Customer.name)
            .join(
                Customer,
                (Customer.tenant_id == CreditLot.tenant_id)
                & (Customer.id == CreditLot.customer_id),
            )
            .where(CreditLot.tenant_id == uow.tenant)
            .order_by(CreditLot.created_at.desc(), CreditLot.id.desc())
            .limit(1)
        )
        with use_locale(locale):
            name, called = _("Alex Example"), _("10 sessions")
        expires_at: datetime | None = uow.clock.now() + timedelta(days=7)
        for lot, owner in latest:
            name, called, expires_at = owner, lot.name, lot.expires_at or expires_at
        view = CreditMail(
            locale=locale,
            from_name=tenant.name,
            guest_name=name,
            package_name=called,
            sessions_remaining=credits_in_words(3, locale),
            package_expiry=end_in_words(expires_at, tenant, locale),
            count=3,
            contact=tenant.contact_email,
            href=f"{asked.settings.base_url}/b/{tenant.slug}/me",
        )
        return _mail(key, view, tenant, "", name, asked.wordings, "preview")

    return preview


_KINDS = (
    MailKind(
        key="credits_warning",
        template="billing/credits_warning",
        title=N_("Credits that end soon"),
        occasion=N_("Seven days before credits end, while some are left."),
        starter_subject=N_("{sessions_remaining} will end soon"),
        starter=N_(
            "Hello {customer_name},\n\nof “{package_name}” you have {sessions_remaining} left,"
            " which can be used until {package_expiry}.\n\n{booking_link}\n\n{business}"
        ),
        button=N_("To my credits"),
        placeholders=_PLACEHOLDERS,
        needed=("package_expiry",),
        preview=_shown("credits_warning"),
        place=1,
    ),
    MailKind(
        key="credits_expired",
        template="billing/credits_expired",
        title=N_("Credits that have ended"),
        occasion=N_("When credits have ended of which some were left."),
        starter_subject=N_("“{package_name}” has ended"),
        starter=N_(
            "Hello {customer_name},\n\n“{package_name}” ended on {package_expiry};"
            " {sessions_remaining} were left and cannot be used any more.\n\n{booking_link}\n\n"
            "{business}"
        ),
        button=N_("To my credits"),
        placeholders=_PLACEHOLDERS,
        needed=("package_name",),
        preview=_shown("credits_expired"),
        place=1,
    ),
)
