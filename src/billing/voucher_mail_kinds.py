"""The mails about vouchers, as businesses may word them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import select

from src.billing.domain.vouchers import new_code
from src.billing.models import Order, Voucher
from src.billing.voucher_mails import MailKey, voucher_view
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, use_locale
from src.platform.ids import new_id
from src.platform.mail.queue import Mail
from src.tenants.worded_mails import (
    BUSINESS,
    CONTACT,
    CUSTOMER_NAME,
    REFERENCE,
    MailKind,
    Placeholder,
    Preview,
    register_mail_kind,
    render_worded,
)

_AMOUNT = Placeholder(name="amount", label=N_("Its amount"), value=lambda view: view.amount)
_EXPIRES = Placeholder(
    name="expires", label=N_("Until when it is valid"), value=lambda view: view.expires
)


def register_voucher_mails() -> None:
    for kind in _KINDS:
        register_mail_kind(kind)


def _shown(key: MailKey) -> Callable[[UnitOfWork, Preview], Awaitable[Mail]]:
    """With a voucher that is made up, since the code of a real one is money, for the guest of the
    business's latest order, if there is any.
    """

    async def preview(uow: UnitOfWork, asked: Preview) -> Mail:
        tenant, now = asked.tenant, uow.clock.now()
        known = select(Order.guest_name).where(Order.tenant_id == uow.tenant)
        name = await uow.session.scalar(known.order_by(Order.created_at.desc(), Order.id).limit(1))
        with use_locale(asked.locale):
            voucher = Voucher(
                tenant_id=tenant.id,
                id=new_id(),
                code=new_code(),
                currency=tenant.currency,
                initial_minor=5000,
                expires_at=now + timedelta(days=1000),
                recipient_name=name or _("Alex Example"),
                recipient_email="alex@example.com",
                message=_("Enjoy it!"),
                locale=asked.locale,
                send_on=None,
                created_at=now,
            )
            giver = _("Kim Example") if key == "voucher" else ""
        href = f"{asked.settings.base_url}/b/{tenant.slug}"
        view = voucher_view(tenant, voucher, voucher.recipient_name, giver, "ABC-123", href)
        words = render_worded(key, view, asked.locale, asked.wordings)
        return Mail(
            kind=f"billing.{key}",
            to_address=voucher.recipient_email,
            subject=words.subject,
            text=words.text,
            html=words.html,
            dedupe_key="preview",
        )

    return preview


_KINDS = (
    MailKind(
        key="voucher",
        template="billing/voucher",
        title=N_("A voucher"),
        occasion=N_("When a voucher is sent, with the page to print."),
        starter_subject=N_("A voucher of {business}"),
        starter=N_(
            "Hello {customer_name},\n\n{giver}\n\nHere is a voucher for {amount} of {business}."
            "\n\n{instead}\n\n{message}\n\nCode: {voucher_code}\n{expires}\n\nType the code when"
            " you book. The voucher to print is attached.\n\n{booking_link}"
        ),
        button=N_("See what is left on it"),
        placeholders=(
            CUSTOMER_NAME,
            BUSINESS,
            _AMOUNT,
            Placeholder(name="voucher_code", label=N_("Its code"), value=lambda view: view.code),
            _EXPIRES,
            Placeholder(
                name="giver", label=N_("Who gives it, if anybody"), value=lambda view: view.giver
            ),
            Placeholder(
                name="instead",
                label=N_("In place of which money back, if of any"),
                value=lambda view: view.instead,
            ),
            Placeholder(
                name="message", label=N_("What they wrote"), value=lambda view: view.message
            ),
            Placeholder(
                name="booking_link",
                label=N_("The voucher's page; alone in a paragraph, a button"),
                value=lambda view: view.href,
            ),
            CONTACT,
        ),
        needed=("voucher_code",),
        preview=_shown("voucher"),
        place=1,
    ),
    MailKind(
        key="voucher_bought",
        template="billing/voucher_bought",
        title=N_("A voucher was bought"),
        occasion=N_("To the buyer, when a voucher for somebody else is paid."),
        starter_subject=N_("Your voucher for {amount} is paid"),
        starter=N_(
            "Hello {customer_name},\n\nThank you: your voucher for {amount} is paid. {sent}\n\n"
            "{expires}\nReference: {reference}\n\n{booking_link}"
        ),
        button=N_("See the voucher, or print it"),
        placeholders=(
            CUSTOMER_NAME,
            BUSINESS,
            _AMOUNT,
            _EXPIRES,
            Placeholder(
                name="sent", label=N_("When it is sent to whom"), value=lambda view: view.sent
            ),
            REFERENCE,
            Placeholder(
                name="booking_link",
                label=N_("The purchase's page; alone in a paragraph, a button"),
                value=lambda view: view.href,
            ),
            CONTACT,
        ),
        needed=("sent",),
        preview=_shown("voucher_bought"),
        place=1,
    ),
)
