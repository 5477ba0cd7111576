"""What the customer's page says of what happened, and of what was agreed to."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from src.billing.domain.kinds import OrderState
from src.booking.commands.readdress import Readdressed
from src.booking.views.customers import CustomerStory, Double, OrderRow
from src.platform.i18n import _, ngettext
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.web.audit_words import log_sentence


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, in words; `href` leads to more of it."""

    at: datetime
    text: str
    who: str = ""
    href: str | None = None


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """Something agreed to. `is_current`: the terms as they stand now, which can be shown."""

    what: str
    at: datetime
    order_id: UUID
    reference: str
    is_current: bool
    mark: str


def timeline(story: CustomerStory, base: str) -> list[Moment]:
    """Newest first."""
    moments: list[Moment] = []
    for order in story.orders:
        moments += _of_order(order, base)
    moments += [
        Moment(at=line.at, text=log_sentence(line.action, line.detail), who=line.who)
        for line in story.log
        if line.action != "customer.booked"
    ]
    if not any(line.action == "customer.added" for line in story.log):
        moments.append(Moment(at=story.head.created_at, text=_("First seen")))
    return sorted(moments, key=lambda moment: moment.at, reverse=True)


def _of_order(order: OrderRow, base: str) -> list[Moment]:
    href = f"{base}/orders/{order.id}"
    said = {
        OrderState.OPEN.value: _("Is paying for %(what)s", what=order.what),
        OrderState.CONFIRMED.value: _("Booked %(what)s", what=order.what),
        OrderState.EXPIRED.value: _("Did not pay in time for %(what)s", what=order.what),
        OrderState.CANCELLED.value: _("Gave up %(what)s", what=order.what),
    }
    who = _("by staff") if order.source == "staff" else ""
    return [Moment(at=order.created_at, text=said[order.state], who=who, href=href)]


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
    ]
    return [sentence for count, sentence in words if count]
