"""What happened in the booking package."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from src.booking.domain.kinds import By
from src.platform.outbox.events import Event

SWAP = "swap"
"""The source of orders that a swap has made; what they confirm is told of as a move."""


class CancellationRequested(Event, frozen=True, kw_only=True):
    """A cancellation was committed; its undo window has begun."""

    topic: ClassVar[str] = "booking.cancellation_requested"
    cancellation_id: UUID


class BookingReaddressed(Event, frozen=True, kw_only=True):
    """Staff corrected the address that a confirmed order's mails go to."""

    topic: ClassVar[str] = "booking.readdressed"
    order_id: UUID


class SeatsCancelled(Event, frozen=True, kw_only=True):
    """A cancellation freed these seats of one customer, who has not been told yet."""

    topic: ClassVar[str] = "booking.seats_cancelled"
    cancellation_id: UUID
    customer_id: UUID
    seat_ids: list[UUID]


class SessionCancelled(Event, frozen=True, kw_only=True):
    """No live seat is left in the session."""

    topic: ClassVar[str] = "booking.session_cancelled"
    session_id: UUID


class SeatsLeft(Event, frozen=True, kw_only=True):
    """Seats of one order were left before their sessions. `by_hand_minor` comes back on site. `by`
    staff, with `why`, stands only in what was recorded before the cancelling of seats could be
    undone.
    """

    topic: ClassVar[str] = "booking.seats_left"
    order_id: UUID
    seat_ids: list[UUID]
    by: By
    why: str = ""
    by_hand_minor: int = 0


class SeatsMoved(Event, frozen=True, kw_only=True):
    """Seats of one order took the place of others, in another session; `by` guest or staff."""

    topic: ClassVar[str] = "booking.seats_moved"
    order_id: UUID
    seat_ids: list[UUID]
    by: By
    why: str = ""


class SeatHandedOn(Event, frozen=True, kw_only=True):
    """A place was handed on to somebody else; neither they nor who had it have been told yet."""

    topic: ClassVar[str] = "booking.seat_handed_on"
    handing_id: UUID


class LeavingAsked(Event, frozen=True, kw_only=True):
    """A guest asked to leave a whole course; nobody has been told yet."""

    topic: ClassVar[str] = "booking.leaving_asked"
    request_id: UUID


class LeavingDeclined(Event, frozen=True, kw_only=True):
    """Staff declined to let a guest leave a course; the guest has not been told yet."""

    topic: ClassVar[str] = "booking.leaving_declined"
    request_id: UUID


class CalendarAsked(Event, frozen=True, kw_only=True):
    """Somebody with a booking's link asked for the calendar of all that its customer books; nothing
    has been mailed yet.
    """

    topic: ClassVar[str] = "booking.calendar_asked"
    ask_id: UUID
    customer_id: UUID
    locale: str


class WorksheetsWanted(Event, frozen=True, kw_only=True):
    """What this order bought asks for worksheets; its customer has not been given them yet."""

    topic: ClassVar[str] = "booking.worksheets_wanted"
    order_id: UUID


class WorksheetsUnasked(Event, frozen=True, kw_only=True):
    """Something of this order was cancelled; what it had asked its customer to fill in may be of no
    use any more.
    """

    topic: ClassVar[str] = "booking.worksheets_unasked"
    order_id: UUID


class WorksheetsGiven(Event, frozen=True, kw_only=True):
    """Staff gave these copies of worksheets to a customer, or opened them again, or the customer's
    address is another one; the links have not been mailed yet. Each `action_id` is another mail.
    """

    topic: ClassVar[str] = "booking.worksheets_given"
    action_id: UUID
    customer_id: UUID
    copy_ids: list[UUID]


class SessionsChanged(Event, frozen=True, kw_only=True):
    """An act changed sessions in what their guests know of them; `session_changes` has which.

    Bookings whose id comes `after` are still to be gone through.
    """

    topic: ClassVar[str] = "booking.sessions_changed"
    action_id: UUID
    after: UUID | None = None


class CustomerAffected(Event, frozen=True, kw_only=True):
    """The act changed sessions that this customer has booked, and they have not been told yet."""

    topic: ClassVar[str] = "booking.customer_affected"
    action_id: UUID
    customer_id: UUID


class BroadcastWaiting(Event, frozen=True, kw_only=True):
    """A mail to many was committed, and some of them do not have it yet."""

    topic: ClassVar[str] = "booking.broadcast_waiting"
    broadcast_id: UUID


class BroadcastTried(Event, frozen=True, kw_only=True):
    """A member wants to have a mail to many alone, before it leaves."""

    topic: ClassVar[str] = "booking.broadcast_tried"
    trial_id: UUID
    user_id: UUID
    audiences: list[str]
    is_marketing: bool
    subject: str
    body: str


class PaymentLinkPromised(Event, frozen=True, kw_only=True):
    """Staff hold seats for a guest, who is to pay by a link that has not been sent yet. `again` is
    the press that wants it sent once more.
    """

    topic: ClassVar[str] = "booking.payment_link_promised"
    order_id: UUID
    again: UUID | None = None


class HeldPlacesCancelled(Event, frozen=True, kw_only=True):
    """Cancelling `seat_ids` has ended a whole order that a guest was to pay by a link."""

    topic: ClassVar[str] = "booking.held_places_cancelled"
    order_id: UUID
    cancellation_ids: list[UUID]
    seat_ids: list[UUID]


class GuestWrittenTo(Event, frozen=True, kw_only=True):
    """Staff wrote to the guests of a session; this order's has not got the message yet."""

    topic: ClassVar[str] = "booking.guest_written_to"
    message_id: UUID
    session_id: UUID
    order_id: UUID
    subject: str
    text: str


class MinimumMissed(Event, frozen=True, kw_only=True):
    """A session has too few people a day before it is decided `at`; its owners are to be asked.

    `on_offer` places are offered to people who wait and `unpaid` ones held until they are paid;
    both count for nothing yet.
    """

    topic: ClassVar[str] = "booking.minimum_missed"
    session_id: UUID
    at: datetime
    taken: int
    on_offer: int = 0
    unpaid: int = 0


class PlacesFreed(Event, frozen=True, kw_only=True):
    """Places of these sessions may be free, or on sale again, and somebody waits for them."""

    topic: ClassVar[str] = "booking.places_freed"
    session_ids: list[UUID]


class WaitlistJoined(Event, frozen=True, kw_only=True):
    """Somebody asked to wait; their mail with the link to their entry has not been sent yet.

    `asked` is for how many, where they were on the list already.
    """

    topic: ClassVar[str] = "booking.waitlist_joined"
    entry_id: UUID
    asked: int = 0


class WaitedDatesMoved(Event, frozen=True, kw_only=True):
    """Sessions for which somebody waits got another time; entries whose id comes `after` are still
    to be gone through.
    """

    topic: ClassVar[str] = "booking.waited_dates_moved"
    session_ids: list[UUID]
    after: UUID | None = None


class WaiterAffected(Event, frozen=True, kw_only=True):
    """A date that this entry waits for got another time; they may not have been told yet."""

    topic: ClassVar[str] = "booking.waiter_affected"
    entry_id: UUID


class PlacesOffered(Event, frozen=True, kw_only=True):
    """An offer was made to somebody who waits, and they have not been told yet."""

    topic: ClassVar[str] = "booking.places_offered"
    offer_id: UUID


class WaitlistClosed(Event, frozen=True, kw_only=True):
    """What somebody waited for was called off, and they have not been told yet."""

    topic: ClassVar[str] = "booking.waitlist_closed"
    entry_id: UUID


class WaiterRemoved(Event, frozen=True, kw_only=True):
    """Staff took somebody off a list, with what they were offered in case they were; they have not
    been told yet. `offer_id` is the one that they lost, None in events of before it was kept.
    """

    topic: ClassVar[str] = "booking.waiter_removed"
    entry_id: UUID
    lost_offer: bool
    offer_id: UUID | None = None


class OfferFulfilled(Event, frozen=True, kw_only=True):
    """An order that an offer became is confirmed: its guest need not wait elsewhere then."""

    topic: ClassVar[str] = "booking.offer_fulfilled"
    order_id: UUID


class GroupsEarned(Event, frozen=True, kw_only=True):
    """A confirmed order makes its guest a member of groups, and they have not come in yet."""

    topic: ClassVar[str] = "booking.groups_earned"
    order_id: UUID


class GroupsLost(Event, frozen=True, kw_only=True):
    """Of an order that made its guest a member of groups something was cancelled; whether they
    still are has not been judged yet.
    """

    topic: ClassVar[str] = "booking.groups_lost"
    order_id: UUID


class GroupPosted(Event, frozen=True, kw_only=True):
    """Something was written to a group, and some of its members have no mail about it yet."""

    topic: ClassVar[str] = "booking.group_posted"
    post_id: UUID
