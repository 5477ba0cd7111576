"""The mail about a card that a guest keeps, as businesses may word it."""

import msgspec
from sqlalchemy import select

from src.billing.domain.cards import CardFacts, card_words
from src.billing.domain.parts import is_of_plan
from src.billing.models import SavedCard
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, use_locale
from src.platform.mail.queue import Mail
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

KEY = "card_kept"


class CardMail(msgspec.Struct, frozen=True, kw_only=True):
    """To whoever keeps the card; `card` is all that may be shown of it, `when_charged` the sentence
    that says when it is charged.
    """

    locale: str
    from_name: str
    guest_name: str
    card: str
    when_charged: str
    contact: str
    href: str


class ShownCard(msgspec.Struct, kw_only=True):
    """A card that is made up, for a business none of whose guests keeps one."""

    brand: str = "visa"
    last4: str = "4242"
    exp_month: int = 12
    exp_year: int = 2034


def card_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    owner: Customer,
    card: SavedCard,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """In the owner's language, or else the business's; one for each card that is kept."""
    locale = owner.locale or tenant.locale
    pays_parts = is_of_plan(card.consent)
    view = _view(settings, tenant, owner.name, card, locale, pays_parts=pays_parts)
    return _mail(view, owner.email or "", wordings, card_key(card))


def card_key(card: SavedCard) -> str:
    """The occasion of the mail about it."""
    return f"card-kept:{card.id}"


def register_card_mails() -> None:
    register_mail_kind(
        MailKind(
            key=KEY,
            template="billing/card_kept",
            title=N_("A card was kept"),
            occasion=N_("When a guest keeps a card, by adding it or while paying."),
            starter_subject=N_("Your card was kept at {business}"),
            starter=N_(
                "Hello {customer_name},\n\na card was kept at {business}: {card}."
                " {when_charged} Remove it any time under My bookings > Cards.\n\n{booking_link}"
                "\n\n{business}"
            ),
            button=N_("To my cards"),
            placeholders=(
                CUSTOMER_NAME,
                BUSINESS,
                Placeholder(
                    name="card",
                    label=N_("The card: its brand and last digits"),
                    value=lambda view: view.card,
                ),
                Placeholder(
                    name="when_charged",
                    label=N_("A sentence: when the card is charged, by what its guest agreed to"),
                    value=lambda view: view.when_charged,
                ),
                Placeholder(
                    name="booking_link",
                    label=N_("Their cards; alone in a paragraph, a button"),
                    value=lambda view: view.href,
                ),
                CONTACT,
            ),
            needed=("card", "when_charged"),
            preview=_shown,
            place=1,
        )
    )


async def _shown(uow: UnitOfWork, asked: Preview) -> Mail:
    """To the customer who came last, with a card that is made up: real ones are theirs alone."""
    name = await uow.session.scalar(
        select(Customer.name)
        .where(Customer.tenant_id == uow.tenant)
        .order_by(Customer.created_at.desc(), Customer.id.desc())
        .limit(1)
    )
    with use_locale(asked.locale):
        name = name or _("Alex Example")
    view = _view(asked.settings, asked.tenant, name, ShownCard(), asked.locale, pays_parts=False)
    return _mail(view, "", asked.wordings, "preview")


def _view(
    settings: Settings,
    tenant: TenantSnapshot,
    name: str,
    card: CardFacts,
    locale: str,
    *,
    pays_parts: bool,
) -> CardMail:
    with use_locale(locale):
        return CardMail(
            locale=locale,
            from_name=tenant.name,
            guest_name=name,
            card=card_words(card),
            when_charged=_when_charged(pays_parts),
            contact=tenant.contact_email,
            href=f"{settings.base_url}/b/{tenant.slug}/me/cards",
        )


def _when_charged(pays_parts: bool) -> str:
    if pays_parts:
        return _(
            "The parts that you agreed to pay are charged to it on their days, each announced by a"
            " mail three days before. Anything else is charged only when you choose the card and"
            " press to pay, while you are signed in."
        )
    return _("It is charged only when you choose it and press to pay, while you are signed in.")


def _mail(view: CardMail, address: str, wordings: Wordings, dedupe_key: str) -> Mail:
    words = render_worded(KEY, view, view.locale, wordings)
    return Mail(
        kind=f"billing.{KEY}",
        to_address=address,
        to_name=view.guest_name,
        from_name=view.from_name,
        reply_to=view.contact or None,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=dedupe_key,
    )
