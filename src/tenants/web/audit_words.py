"""What the log's entries say to people.

An action that is not listed is read from its own name, "session.moved" as "Session moved".
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from src.platform.i18n import N_, _, current_locale, ngettext
from src.platform.money import Money, format_money
from src.platform.web.formats import datetime_local
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.domain.roles import Role
from src.tenants.log_subjects import LogSubject
from src.tenants.plan_words import granted_sentence
from src.tenants.role_words import role_name
from src.tenants.web.audit_fields import FIELDS
from src.tenants.web.platform_audit_words import PLATFORM_SENTENCES
from src.tenants.worded_mails import find_mail_kind

_SENTENCES = {
    "business.created": N_("Set up the business"),
    "settings.profile_changed": N_("Changed the profile"),
    "settings.timezone_changed": N_("Changed the timezone"),
    "settings.accent_changed": N_("Changed the colour"),
    "settings.terms_changed": N_("Changed the booking terms"),
    "mail.worded": N_("Changed the words of a mail"),
    "mail.reset": N_("Took the standard mail again"),
    "performer.added": N_("Added a performer"),
    "performer.changed": N_("Changed a performer"),
    "performer.activated": N_("Took a performer back in"),
    "performer.deactivated": N_("Put a performer aside"),
    "hours.set": N_("Changed somebody's hours of the week"),
    "hours.day_set": N_("Set other hours for single days"),
    "hours.day_cleared": N_("Took the hours of the week again for a day"),
    "day.closed": N_("Closed a day for appointments"),
    "day.opened": N_("Opened a day for appointments again"),
    "credits.users_changed": N_("Changed who may use credits"),
    "location.added": N_("Added a place"),
    "location.changed": N_("Changed a place"),
    "location.activated": N_("Took a place back in"),
    "location.deactivated": N_("Put a place aside"),
    "api_key.created": N_("Made an API key"),
    "api_key.revoked": N_("Revoked an API key"),
    "member.invited": N_("Invited somebody to the team"),
    "member.invited_again": N_("Sent an invitation again"),
    "member.invitation_revoked": N_("Took back an invitation"),
    "member.joined": N_("Joined the team"),
    "member.role_changed": N_("Changed a member's role"),
    "member.linked": N_("Changed which performer a member is"),
    "member.removed": N_("Removed a member"),
    "plan.requested": N_("Asked for a plan"),
    "plan.bolt_on_requested": N_("Asked for a bolt-on"),
    "plan.bolt_on_given": N_("Seatline added a bolt-on"),
    "plan.bolt_on_removed": N_("Removed a bolt-on"),
    "plan.request_declined": N_("Seatline declined what was asked for"),
    "plan.moved": N_("Seatline moved the business to a plan"),
    "plan.granted": N_("Seatline added to the plan"),
    "plan.grant_removed": N_("Seatline took back an addition to the plan"),
    "status_changed": N_("Seatline changed the state of the business"),
    "service.created": N_("Added a service"),
    "service.changed": N_("Changed a service"),
    "service.refund_policy_changed": N_("Changed what comes back for single dates"),
    "service.switched_on": N_("Switched a service on"),
    "service.switched_off": N_("Switched a service off"),
    "service.reminders_changed": N_("Changed the reminders of a service"),
    "service.waitlist_changed": N_("Changed the waiting list of a service"),
    "waitlist.offered": N_("Offered somebody who waits a place"),
    "waitlist.removed": N_("Took somebody off a waiting list"),
    "session.published": N_("Published a session"),
    "sessions.repeated": N_("Published sessions that repeat"),
    "session.drop_in_set": N_("Changed the single places of a session"),
    "session.changed": N_("Changed a session"),
    "session.moved": N_("Moved a session with the timezone"),
    "session.deleted": N_("Deleted a session"),
    "session.cancelled": N_("Cancelled a session"),
    "session.cancellation_undone": N_("Took back the cancelling of a session"),
    "series.cancelled": N_("Cancelled a series"),
    "series.cancellation_undone": N_("Took back the cancelling of a series"),
    "order.handed_back": N_("Handed money back on site"),
    "session.minimum_set": N_("Set how many people a session needs"),
    "session.let_take_place": N_("Let a session take place"),
    "seats.attended": N_("Checked guests in"),
    "seats.no_show": N_("Marked guests as no-shows"),
    "seats.attendance_undone": N_("Took back who came"),
    "seats.cancelled": N_("Cancelled places"),
    "seats.cancellation_undone": N_("Took back the cancelling of places"),
    "roster.exported": N_("Exported a list of guests"),
    "roster.messaged": N_("Wrote to guests"),
    "series.created": N_("Put a series together"),
    "series.copied": N_("Copied a series into a new term"),
    "series.changed": N_("Changed a series"),
    "series.refund_policy_changed": N_("Changed what comes back for a course"),
    "series.published": N_("Published a series"),
    "series.unpublished": N_("Took a series off the booking page"),
    "booking.cancelled": N_("Cancelled a booking"),
    "booking.cancellation_undone": N_("Took back the cancelling of a booking"),
    "booking.seat_moved": N_("Moved a place to another session"),
    "booking.seat_swapped": N_("Swapped a place for one of another course"),
    "fee.forgiven": N_("Forgave a fee"),
    "booking.seat_handed_on": N_("Handed a place on to somebody else"),
    "booking.people_changed": N_("Changed the note or names of a booking"),
    "booking.leaving_declined": N_("Declined to let a guest leave a course"),
    "timetable.imported": N_("Imported a timetable"),
    "timetable.given_up": N_("Gave up importing a timetable"),
    "broadcast.sent": N_("Wrote to many guests"),
    "customer.added": N_("Added a customer"),
    "customer.changed": N_("Changed a customer"),
    "customer.readdressed": N_("Sent a customer's bookings to the corrected address"),
    "customer.tagged": N_("Changed a customer's tags"),
    "customer.note_removed": N_("Removed a note about a customer"),
    "customer.merged": N_("Merged two customers"),
    "customer.booked": N_("Booked for a customer"),
    "customer.exported": N_("Exported customers"),
    "customer.handed_over": N_("Exported a customer's data"),
    "customer.erased": N_("Erased a customer"),
    "agreement.published": N_("Published an agreement"),
    "agreement.switched_on": N_("Switched an agreement on"),
    "agreement.switched_off": N_("Switched an agreement off"),
    "agreement.asked_for": N_("Changed what asks for an agreement"),
    "agreement.exported": N_("Exported the signatures of an agreement"),
    "worksheet.published": N_("Published a worksheet"),
    "worksheet.switched_on": N_("Switched a worksheet on"),
    "worksheet.switched_off": N_("Switched a worksheet off"),
    "worksheet.asked_for": N_("Changed what asks for a worksheet"),
    "worksheet.given": N_("Gave a worksheet to a customer"),
    "worksheet.reopened": N_("Opened a worksheet again for a correction"),
    "worksheet.taken_back": N_("Took a worksheet back"),
    "worksheet.closed": N_("Closed a worksheet that was open for a correction"),
    "worksheet.file_deleted": N_("Deleted a file that a guest had sent with a worksheet"),
    "worksheet.exported": N_("Exported the answers to a worksheet"),
    "coupon.created": N_("Added a coupon"),
    "coupon.changed": N_("Changed a coupon"),
    "coupon.switched_on": N_("Switched a coupon on"),
    "coupon.switched_off": N_("Switched a coupon off"),
    "coupon.deleted": N_("Deleted a coupon"),
    "coupon.exported": N_("Exported the uses of a coupon"),
    "collection.created": N_("Added a collection"),
    "collection.changed": N_("Changed a collection"),
    "collection.filled": N_("Put something into a collection"),
    "collection.emptied": N_("Took something out of a collection"),
    "collection.ordered": N_("Changed the order of a collection"),
    "collection.switched_on": N_("Switched a collection on"),
    "collection.switched_off": N_("Switched a collection off"),
    "collection.deleted": N_("Deleted a collection"),
    "group.created": N_("Added a group"),
    "group.changed": N_("Changed a group"),
    "group.givers_changed": N_("Changed what makes people members of a group"),
    "group.switched_on": N_("Switched a group on"),
    "group.switched_off": N_("Switched a group off"),
    "group.deleted": N_("Deleted a group"),
    "group.posted": N_("Wrote to a group"),
    "group.post_changed": N_("Changed a post to a group"),
    "group.post_deleted": N_("Deleted a post to a group"),
    "customer.joined_group": N_("Took a customer into a group"),
    "customer.left_group": N_("Took a customer off a group"),
    "package.created": N_("Added a package"),
    "package.changed": N_("Changed a package"),
    "package.switched_on": N_("Switched a package on"),
    "package.switched_off": N_("Switched a package off"),
    "package.deleted": N_("Deleted a package"),
    "credits.given": N_("Gave credits to a customer"),
    "credits.added": N_("Added credits"),
    "credits.removed": N_("Removed credits"),
    "credits.extended": N_("Extended credits"),
    "credits.shortened": N_("Shortened credits"),
    "credits.rolled_over": N_("Rolled expired credits over"),
    "credits.refund_asked": N_("Asked for a refund of unused credits"),
    "credits.sales_exported": N_("Exported the credits sold"),
    "credits.usage_exported": N_("Exported the use of credits"),
    "voucher.settings_changed": N_("Changed which vouchers guests can buy"),
    "voucher.sold": N_("Sold a voucher"),
    "voucher.blocked": N_("Blocked a voucher"),
    "voucher.unblocked": N_("Let a voucher be used again"),
    "voucher.adjusted": N_("Changed what is on a voucher"),
    "voucher.extended": N_("Let a voucher last longer"),
    "voucher.sent": N_("Sent a voucher again"),
    "voucher.exported": N_("Exported the vouchers"),
    "order.refunded_as_voucher": N_("Gave a voucher in place of a refund"),
    "order.marked_paid": N_("Marked an order as paid"),
    "order.part_paid": N_("Took a part of a price on site"),
    "order.part_waived": N_("Let a guest off a part of a price"),
    "order.transfer_received": N_("Noted a bank transfer as received"),
    "order.transfer_mistaken": N_("Took off a bank transfer that was noted by mistake"),
    "order.transfer_extended": N_("Waits longer for a bank transfer"),
    "order.package_cancelled": N_("Cancelled a package that waited to be paid"),
    "order.package_never_paid": N_("Cancelled a package that was never paid"),
    "order.package_brought_back": N_("Brought back a package whose transfer came after all"),
    "order.released": N_("Released places that waited to be paid"),
    "order.link_sent": N_("Sent a link to pay again"),
    "order.refund_asked": N_("Asked for a refund"),
    "order.refund_retried": N_("Tried a refund again"),
    "order.refund_failed": N_("A refund did not go through"),
    "order.item_closed": N_("Closed an open point of an order"),
    "calendar_feed.created": N_("Made an address for a calendar program"),
    "calendar_feed.revoked": N_("Ended an address for a calendar program"),
    "payments.connected": N_("Began connecting Stripe"),
    "payments.transfers_taken": N_("Said how guests pay by bank transfer"),
    "payments.transfers_stopped": N_("Takes no bank transfers any more"),
    "payments.methods_chosen": N_("Chose the methods of the payment page"),
}
"""As the forms call them."""

_SAY_MORE = frozenset({"session", "order", "booking", "waitlist_entry"})
"""Kinds of things that their entries name not at all, or not by when and whose they are."""

_OF_SESSIONS = frozenset({"sessions.repeated", "timetable.imported", "series.copied"})

_WRITTEN_DATE = re.compile(r"(.+), (\d{4}-\d\d-\d\d \d\d:\d\d)")
"""How older entries name a date."""


class Around(NamedTuple):
    """What helps to read an entry: how times and money are written, what it is about, and the date
    it names beside that, each as it stood `at` the time of the entry. What is not known is left
    out.
    """

    zone: ZoneInfo
    at: datetime = datetime.max.replace(tzinfo=UTC)
    currency: str = ""
    kind: str = ""
    subject: LogSubject | None = None
    session: LogSubject | None = None
    plans: Mapping[str, str] = MappingProxyType({})


class Told(NamedTuple):
    """An act in words: what was done, to which thing, and the rest of it."""

    act: str
    which: str
    more: Sequence[str]

    @property
    def sentence(self) -> str:
        parts = [self.act, *filter(None, (self.which, *self.more))]
        return parts[0] if len(parts) == 1 else f"{parts[0]}: {', '.join(parts[1:])}"


def platform_sentence(action: str) -> str:
    """What an admin did; an action that is not listed is read from its own name."""
    known = PLATFORM_SENTENCES.get(action)
    return _(known) if known else action.replace(".", " ").replace("_", " ").capitalize()


def tell(action: str, detail: Mapping[str, Any], around: Around) -> Told:
    """The act: what was done, to which, and how; ids and moments of the detail are not words."""
    known = _SENTENCES.get(action)
    act = _(known) if known else action.replace(".", " ").replace("_", " ").capitalize()
    names = _names(action, detail, around)
    subject = around.subject
    more: list[str] = []
    if subject is not None and (around.kind in _SAY_MORE or action == "customer.booked"):
        which = _called(subject, _start_of(detail, subject, around.at), around.zone)
        more = [_quoted(name) for name in names if name not in which]
    elif names:
        which, *more = map(_quoted, names)
    else:
        which = subject.words if subject is not None else ""
    if subject is None and (start := _start_in(detail)) is not None:
        which = " · ".join(filter(None, (which, datetime_local(start, around.zone))))
    if around.session is not None:
        date = _called(around.session, around.session.starts_as_of(around.at), around.zone)
        which, more = (which, [*more, f"→ {date}"]) if which else (date, more)
    return Told(act, which, [*more, *_particulars(action, detail, around)])


def log_sentence(action: str, detail: Mapping[str, Any], around: Around) -> str:
    """The act in one line."""
    return tell(action, detail, around).sentence


def _called(subject: LogSubject, starts_at: datetime | None, zone: ZoneInfo) -> str:
    return f"{subject.words} · {datetime_local(starts_at, zone)}" if starts_at else subject.words


def _start_of(detail: Mapping[str, Any], subject: LogSubject, moment: datetime) -> datetime | None:
    """Of a date, as the entry has it, else as it stood then."""
    if subject.starts_at is None:
        return None
    return _start_in(detail) or subject.starts_as_of(moment)


def _start_in(detail: Mapping[str, Any]) -> datetime | None:
    was, starts_at = detail.get("was"), detail.get("starts_at")
    if isinstance(was, list) and was:
        return datetime.fromisoformat(was[0])
    return datetime.fromisoformat(starts_at) if isinstance(starts_at, str) else None


def _names(action: str, detail: Mapping[str, Any], around: Around) -> list[str]:
    """What the entry itself calls what it is about."""
    if action.startswith("mail.") and (kind := find_mail_kind(str(detail.get("name")))):
        return [_(kind.title)]
    found = [
        detail[key] for key in ("name", "title") if isinstance(detail.get(key), str) and detail[key]
    ]
    of, plan = detail.get("of"), detail.get("plan")
    if isinstance(of, str) and around.subject is None:
        found.insert(0, _written(of, around.zone))
    if isinstance(plan, str):
        key = plan.partition(" v")[0]
        found.append(around.plans.get(key, plan))
    return found


def _quoted(name: str) -> str:
    return _("“%(name)s”", name=name)


def _written(of: str, zone: ZoneInfo) -> str:
    found = _WRITTEN_DATE.fullmatch(of)
    if found is None:
        return of
    at = datetime.strptime(found[2], "%Y-%m-%d %H:%M").replace(tzinfo=zone)
    return f"{found[1]} · {datetime_local(at, zone)}"


def _particulars(action: str, detail: Mapping[str, Any], around: Around) -> list[str]:
    found: list[str] = []
    gone = detail.get("gone")
    if isinstance(gone, Mapping) and gone.get("name"):
        found.append(_("with “%(name)s”", name=gone["name"]))
    changed = detail.get("changed")
    if isinstance(changed, list):
        found += dict.fromkeys(_field(str(name)) for name in changed)
    found += _moved_to(detail, around.zone)
    if action in _OF_SESSIONS and isinstance(count := detail.get("count"), int):
        found.append(ngettext("%(num)s session", "%(num)s sessions", count))
    if isinstance(seats := detail.get("seats"), list) and seats:
        found.append(ngettext("%(num)s place", "%(num)s places", len(seats)))
    found += _amounts(action, detail, around.currency)
    found += _steps(action, detail)
    return found + [str(detail[key]) for key in ("reason", "note", "answer") if detail.get(key)]


def _moved_to(detail: Mapping[str, Any], zone: ZoneInfo) -> list[str]:
    was, became = detail.get("was"), detail.get("became")
    if isinstance(was, list) and isinstance(became, list) and was[0] != became[0]:
        return [f"→ {datetime_local(datetime.fromisoformat(became[0]), zone)}"]
    return []


def _amounts(action: str, detail: Mapping[str, Any], currency: str) -> list[str]:
    currency = str(detail.get("currency") or currency)
    amount_minor = detail.get("amount_minor")
    if not isinstance(amount_minor, int) or not currency:
        return []
    amount = format_money(Money(amount_minor, currency), current_locale())
    return [_("%(amount)s back", amount=amount) if action.endswith(".cancelled") else amount]


def _steps(action: str, detail: Mapping[str, Any]) -> list[str]:
    """From what to what; of the plan what was added. What is no word any more stands as it was."""
    if action.startswith("plan.grant"):
        return _granted(detail)
    before, after = detail.get("before"), detail.get("after")
    if not isinstance(before, str) or not isinstance(after, str):
        return []
    if action == "member.role_changed" and {before, after} <= set(Role):
        before, after = role_name(Role(before)), role_name(Role(after))
    return [f"{before} → {after}"]


def _granted(detail: Mapping[str, Any]) -> list[str]:
    feature, limit = detail.get("feature"), detail.get("limit")
    if feature in set(Feature) or limit in set(Limit):
        return [granted_sentence(feature, limit, detail.get("value"))]
    return [str(given) for given in (feature, limit) if given]


def _field(name: str) -> str:
    known = FIELDS.get(name)
    return _(known) if known else name.replace("_", " ").capitalize()
