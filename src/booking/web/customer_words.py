"""What the customer's page says of what was agreed to, and of others like them."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from src.booking.commands.readdress import Readdressed
from src.booking.views.customers import CustomerStory, Double, OrderRow
from src.platform.i18n import _, ngettext
from src.tenants.domain.mail_topics import MailTopic


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """Something agreed to. `is_current`: the terms as they stand now, which can be shown."""

    what: str
    at: datetime
    order_id: UUID
    reference: str
    is_current: bool
    mark: str


def consents_of(story: CustomerStory, terms: str) -> list[Consent]:
    """What was ticked with each order, newest first."""
    current = hashlib.sha256(terms.encode()).hexdigest() if terms else ""
    found: list[Consent] = []
    for order in story.orders:
        for key, given in order.consents.items():
            if isinstance(given, dict):
                found.append(_consent(order, key, given, current))
    return found


def _given_at(order: OrderRow, given: dict[str, Any]) -> datetime:
    """Written with the consent; the order's own moment is never far from it."""
    try:
        return datetime.fromisoformat(str(given.get("accepted_at", "")))
    except ValueError:
        return order.created_at


def _consent(order: OrderRow, key: str, given: dict[str, Any], current: str) -> Consent:
    words = {"terms": _("Booking terms"), "marketing": _("News by mail")}
    mark = str(given.get("sha256", ""))
    return Consent(
        what=words.get(key, key),
        at=_given_at(order, given),
        order_id=order.id,
        reference=order.reference,
        is_current=bool(mark) and mark == current,
        mark=mark[:12],
    )


def declined_words(topics: Iterable[MailTopic]) -> list[str]:
    """What a customer has ended by themselves, which outweighs what they ticked."""
    words = {
        MailTopic.MARKETING: _("Has ended news by mail"),
        MailTopic.REMINDERS: _("Has ended reminders by mail"),
        MailTopic.GROUPS: _("Has ended news of groups by mail"),
    }
    return [words[topic] for topic in topics]


def why_double(double: Double) -> str:
    """What the two share, in words."""
    shared = [
        (double.same_phone, _("the same phone")),
        (double.same_email, _("the same e-mail but for dots")),
        (double.same_name, _("the same name")),
    ]
    return ", ".join(words for holds, words in shared if holds)


def readdressed_words(told: Readdressed) -> list[str]:
    """What goes to the corrected address, a sentence for each kind."""
    words = [
        (
            told.confirmations,
            ngettext(
                "%(num)s confirmation goes to the new address.",
                "%(num)s confirmations go to the new address.",
                told.confirmations,
            ),
        ),
        (
            told.payment_links,
            ngettext(
                "%(num)s link to pay goes to the new address.",
                "%(num)s links to pay go to the new address.",
                told.payment_links,
            ),
        ),
        (
            told.worksheets,
            ngettext(
                "%(num)s link to a worksheet goes to the new address.",
                "%(num)s links to worksheets go to the new address.",
                told.worksheets,
            ),
        ),
    ]
    return [sentence for count, sentence in words if count]
