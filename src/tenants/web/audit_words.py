"""What the log's entries say to people.

An action that is not listed is read from its own name, "session.moved" as "Session moved".
"""

from collections.abc import Mapping

from src.platform.i18n import N_, _

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
    "plan.request_declined": N_("Seatline declined the plan asked for"),
    "plan.moved": N_("Seatline moved the business to a plan"),
    "plan.granted": N_("Seatline added to the plan"),
    "plan.grant_removed": N_("Seatline took back an addition to the plan"),
    "status_changed": N_("Seatline changed the state of the business"),
    "service.created": N_("Added a service"),
    "service.changed": N_("Changed a service"),
    "service.switched_on": N_("Switched a service on"),
    "service.switched_off": N_("Switched a service off"),
    "service.reminders_changed": N_("Changed the reminders of a service"),
    "service.waitlist_changed": N_("Changed the waiting list of a service"),
    "waitlist.offered": N_("Offered somebody who waits a place"),
    "waitlist.removed": N_("Took somebody off a waiting list"),
    "session.published": N_("Published a session"),
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
    "series.published": N_("Published a series"),
    "series.unpublished": N_("Took a series off the booking page"),
    "booking.cancelled": N_("Cancelled a booking"),
    "booking.cancellation_undone": N_("Took back the cancelling of a booking"),
    "booking.seat_moved": N_("Moved a place to another session"),
    "booking.people_changed": N_("Changed the note or names of a booking"),
    "booking.leaving_declined": N_("Declined to let a guest leave a course"),
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
    "coupon.created": N_("Added a coupon"),
    "coupon.changed": N_("Changed a coupon"),
    "coupon.switched_on": N_("Switched a coupon on"),
    "coupon.switched_off": N_("Switched a coupon off"),
    "coupon.deleted": N_("Deleted a coupon"),
    "coupon.exported": N_("Exported the uses of a coupon"),
    "order.marked_paid": N_("Marked an order as paid"),
    "order.released": N_("Released places that waited to be paid"),
    "order.link_sent": N_("Sent a link to pay again"),
    "order.refund_asked": N_("Asked for a refund"),
    "order.refund_retried": N_("Tried a refund again"),
    "order.refund_failed": N_("A refund did not go through"),
    "order.item_closed": N_("Closed an open point of an order"),
    "calendar_feed.created": N_("Made an address for a calendar program"),
    "calendar_feed.revoked": N_("Ended an address for a calendar program"),
    "payments.connected": N_("Began connecting Stripe"),
}

_PLATFORM = {
    "admin.created": N_("Made a platform admin"),
    "admin.promoted": N_("Made a user a platform admin, with a new password"),
    "admin.password_replaced": N_("Replaced a platform admin's password"),
    "plan.edited": N_("Edited a plan"),
    "request.declined": N_("Declined a request for a plan"),
    "tenant.moved": N_("Moved a business to a plan"),
    "tenant.granted": N_("Added to a business's plan"),
    "tenant.grant_removed": N_("Took back an addition to a business's plan"),
    "tenant.status_changed": N_("Changed the state of a business"),
}

_FIELDS = {
    "name": N_("name"),
    "names": N_("names"),
    "note": N_("note"),
    "email": N_("e-mail"),
    "phone": N_("phone"),
    "is_established": N_("established or not"),
    "slug": N_("address of the booking page"),
    "about": N_("about you"),
    "contact_email": N_("e-mail"),
    "contact_phone": N_("phone"),
    "country": N_("country"),
    "currency": N_("currency"),
    "locale": N_("language"),
    "seats_told_up_to": N_("how many places are left"),
    "address": N_("address"),
    "room_capacity": N_("capacity of the room"),
    "is_online": N_("online or not"),
    "capacity": N_("capacity"),
    "title": N_("title"),
    "starts_at": N_("start"),
    "ends_at": N_("end"),
    "performer_id": N_("performer"),
    "location_id": N_("location"),
    "price_minor": N_("price"),
    "description": N_("description"),
    "percent": N_("percentage"),
    "amount_minor": N_("amount"),
    "scope": N_("what it is for"),
    "scope_ids": N_("what it is for"),
    "starts_on": N_("first day"),
    "ends_on": N_("last day"),
    "min_spend_minor": N_("least amount"),
    "max_uses": N_("how often in all"),
    "max_per_customer": N_("how often per customer"),
    "first_order_only": N_("first order only"),
}


def platform_sentence(action: str) -> str:
    """What an admin did; an action that is not listed is read from its own name."""
    known = _PLATFORM.get(action)
    return _(known) if known else action.replace(".", " ").replace("_", " ").capitalize()


def log_sentence(action: str, detail: Mapping[str, object]) -> str:
    """The act in one line: what was done, to which, and how."""
    known = _SENTENCES.get(action)
    said = _(known) if known else action.replace(".", " ").replace("_", " ").capitalize()
    parts = [said, *_particulars(detail)]
    return ": ".join(parts) if len(parts) < 3 else f"{parts[0]}: {', '.join(parts[1:])}"


def _particulars(detail: Mapping[str, object]) -> list[str]:
    """What of an entry's detail is words for people; ids and moments are not."""
    found = [
        _("“%(name)s”", name=detail[key])
        for key in ("of", "name", "title", "plan")
        if isinstance(detail.get(key), str) and detail[key]
    ]
    gone = detail.get("gone")
    if isinstance(gone, Mapping) and gone.get("name"):
        found.append(_("with “%(name)s”", name=gone["name"]))
    changed = detail.get("changed")
    if isinstance(changed, list):
        found += [_field(str(name)) for name in changed]
    before, after = detail.get("before"), detail.get("after")
    if isinstance(before, str) and isinstance(after, str):
        found.append(f"{before} → {after}")
    return found + [str(detail[key]) for key in ("reason", "note", "answer") if detail.get(key)]


def _field(name: str) -> str:
    known = _FIELDS.get(name)
    return _(known) if known else name.replace("_", " ")


def actor_words(kind: str, name: str) -> str:
    """Who it was, in the reader's language."""
    if kind == "api_key":
        return _("API key “%(name)s”", name=name)
    if kind == "system":
        return _("Seatline")
    if kind == "guest":
        return _("A guest")
    return name or _("A member")
