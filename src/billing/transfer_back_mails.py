"""The mails about transfers that nothing waits for: that they go back, and that they have gone."""

from collections.abc import Awaitable, Callable

from src.billing.lines import handlers_of
from src.billing.models import Order
from src.billing.queries.what_was_bought import what_was_bought
from src.billing.transfer_mails import ABOUT, example_order
from src.billing.views.transfers import TransferBackMail
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, use_locale
from src.platform.mail.queue import Mail
from src.platform.money import Money, format_money
from src.tenants.context import TenantSnapshot
from src.tenants.worded_mails import (
    SHIPPED,
    MailKind,
    Placeholder,
    Preview,
    Wordings,
    register_mail_kind,
    render_worded,
)

NOT_DUE, SENT_BACK = "transfer_not_due", "transfer_sent_back"


async def transfer_back_mail(
    uow: UnitOfWork,
    settings: Settings,
    tenant: TenantSnapshot,
    order: Order,
    kind: str,
    wordings: Wordings = SHIPPED,
    *,
    key: str,
    back_minor: int,
    came_minor: int = 0,
    reason: str = "",
) -> Mail:
    """Once for each `key`. `reason` is in the order's language."""
    handlers = await handlers_of(uow, order)
    path = next((one.guest_path(settings, tenant.slug, order) for one in handlers), "")
    with use_locale(order.locale):
        view = TransferBackMail(
            locale=order.locale,
            from_name=tenant.name,
            guest_name=order.guest_name,
            reference=order.reference,
            what=await what_was_bought(uow, order, tenant.zone) or _("Your service"),
            came=format_money(Money(came_minor, order.currency), order.locale),
            back=format_money(Money(back_minor, order.currency), order.locale),
            reason=reason,
            contact=tenant.contact_email,
            href=settings.base_url + (path or f"/b/{tenant.slug}"),
            holds_places=not handlers or any(one.holds_places for one in handlers),
        )
    words = render_worded(kind, view, order.locale, wordings)
    return Mail(
        kind=f"billing.{kind}",
        to_address=order.guest_email,
        to_name=order.guest_name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=f"{kind}:{key}",
    )


def register_transfer_back_mails() -> None:
    for kind in _KINDS:
        register_mail_kind(kind)


def _shown(key: str) -> Callable[[UnitOfWork, Preview], Awaitable[Mail]]:
    async def preview(uow: UnitOfWork, asked: Preview) -> Mail:
        order = await example_order(uow, asked)
        with use_locale(asked.locale):
            reason = _("Nothing was due any more: it was paid before, and stays as it is.")
        return await transfer_back_mail(
            uow,
            asked.settings,
            asked.tenant,
            order,
            key,
            asked.wordings,
            key="preview",
            back_minor=order.total_minor,
            came_minor=order.total_minor,
            reason=reason,
        )

    return preview


_BACK = (
    *(one for one in ABOUT if one.name != "amount"),
    Placeholder(name="back", label=N_("What goes back"), value=lambda view: view.back),
)

_KINDS = (
    MailKind(
        key=NOT_DUE,
        template="billing/transfer_not_due",
        title=N_("A bank transfer that was not due"),
        occasion=N_("When you note a transfer that nothing waits for, or more than is due."),
        starter_subject=N_("We send {back} back to you"),
        starter=N_(
            "Hello {customer_name},\n\nyour transfer of {came} has come. {reason} We send {back}"
            " back to you.\n\n{service}\nReference: {reference}\n\n{booking_link}\n\n{business}"
        ),
        button=N_("See how it stands"),
        placeholders=(
            *_BACK,
            Placeholder(name="came", label=N_("What has come"), value=lambda view: view.came),
            Placeholder(
                name="reason", label=N_("Why it goes back"), value=lambda view: view.reason
            ),
        ),
        needed=("back", "reason"),
        preview=_shown(NOT_DUE),
        place=1,
    ),
    MailKind(
        key=SENT_BACK,
        template="billing/transfer_sent_back",
        title=N_("A bank transfer was sent back"),
        occasion=N_("When you note that you have given back what was transferred."),
        starter_subject=N_("We have sent {back} back to you"),
        starter=N_(
            "Hello {customer_name},\n\nwe have sent {back} back to you of what you had"
            " transferred.\n\n{service}\nReference: {reference}\n\n{booking_link}\n\n{business}"
        ),
        button=N_("See how it stands"),
        placeholders=_BACK,
        needed=("back",),
        preview=_shown(SENT_BACK),
        place=1,
    ),
)
