"""No column of words is forgotten when a person is erased."""

from datetime import UTC, datetime

import msgspec
from sqlalchemy import JSON, LargeBinary, String, Table

from src.booking.queries.person import KEYS_OF_THEIRS
from src.platform.db import Base
from src.platform.ids import new_id
from src.platform.outbox.events import Event
from src.tenants.person_rows import Person, person_rows

OF_THE_BUSINESS = {
    "agreements",
    "api_keys",
    "booking_counters",
    "broadcasts",
    "cancellation_returns",
    "closed_days",
    "connected_accounts",
    "collection_slugs",
    "collections",
    "coupons",
    "credit_notices",
    "day_hours",
    "digests",
    "due",
    "entitlement_grants",
    "group_posts",
    "group_slugs",
    "groups",
    "invitations",
    "locations",
    "mail_wordings",
    "members",
    "packages",
    "payment_settings",
    "performer_busy",
    "performers",
    "plan_requests",
    "reminders_sent",
    "series",
    "session_changes",
    "tenant_bolt_ons",
    "tenant_slugs",
    "timetable_imports",
    "voucher_settings",
    "waitlist_offers",
    "worksheets",
}
"""Tables that are never about a guest, but for what a business wrote of somebody to many: see
`docs/algorithms/erasing.md`.
"""

TELLS_NOBODY = """
agreement_signatures how
agreement_versions published_by sha256 text title
bookings gaps leaving
cancellations scope state
credit_entries actor_name by kind
credit_lots currency name refund_rule service_ids source state tags users
disputes currency processor_id state
fees by currency kind state what
handings_on by
instalments state
leave_requests state
open_items kind
order_lines description kind tier
orders closed_why currency locale month payment_mode reference source state wanted_end
payment_pages account_id idempotency_key kind parts processor_id state
payments account_id currency method payment_intent_id
processor_customers account_id processor_id
refunds body cause cause_key error processor_id state
saved_cards account_id payment_method_id
seats changed_by returned_as state tier
services appointment description kind leaving mode name price_tiers price_type questions reminders
services sales_mode slug tags visibility waitlist
sessions drop_in_opens_unit drop_in_pays import_key meeting_url mode state tags title
sessions drop_in_opens_unit drop_in_pays import_key meeting_url mode state title
voucher_entries actor_name kind
vouchers code currency locale source state
waitlist_entries ended_by locale said state
worksheet_copies given_by
worksheet_versions introduction published_by questions title
"""
"""Columns that stay as they are, since they tell of no person without the others."""

ELSEWHERE = {"audit", "outbox"}
"""What the program may not change, or not by itself; `erase_customer` sees to them, and its own
test reads every table afterwards.
"""


OF_MANY_OR_NOBODY = {
    "action_id",
    "after",
    "again",
    "ask_id",
    "asked_id",
    "broadcast_id",
    "cancellation_id",
    "cancellation_ids",
    "card_id",
    "change_id",
    "code_id",
    "copy_ids",
    "fee_id",
    "handing_id",
    "held_id",
    "inbox_id",
    "invitation_id",
    "lot_id",
    "mail_id",
    "message_id",
    "move_id",
    "offer_id",
    "open_item_id",
    "page_id",
    "part_id",
    "payment_id",
    "post_id",
    "refund_id",
    "row_id",
    "session_id",
    "session_ids",
    "sign_up_id",
    "trial_id",
    "user_id",
    "voucher_id",
}
"""Under which an event names what is not a guest's alone, or what ends before they are erased."""


def columns_of_words(table: Table) -> set[str]:
    kinds = (String, JSON, LargeBinary)
    return {column.name for column in table.c if isinstance(column.type, kinds)}


def kept() -> dict[str, set[str]]:
    """The columns of words that erasing leaves, by table, of those that it reaches."""
    nobody = Person(tenant_id=new_id(), customer_ids=(), addresses=(), at=datetime.now(UTC))
    left = {rows.table.name: columns_of_words(rows.table) for rows in person_rows()}
    for rows in person_rows():
        gone = columns_of_words(rows.table) if rows.erased is None else set(rows.erased(nobody))
        left[rows.table.name] -= gone
    return left


def test_every_column_of_words_is_erased_or_known_to_tell_of_nobody() -> None:
    """A new one is erased by the `PersonRows` of its table, or named above with good reason."""
    known: dict[str, set[str]] = {}
    for line in TELLS_NOBODY.split("\n"):
        table, *columns = line.split() or [""]
        known.setdefault(table, set()).update(columns)
    left = {table: columns for table, columns in kept().items() if columns}
    assert left == {name: found for name, found in known.items() if name} | {"audit": left["audit"]}


def test_every_table_of_a_business_is_reached_or_known_to_be_about_no_guest() -> None:
    tables = {
        name
        for name, table in Base.metadata.tables.items()
        if "tenant_id" in table.c and columns_of_words(table)
    }
    assert tables == {name for name in kept() if columns_of_words(Base.metadata.tables[name])} | (
        OF_THE_BUSINESS | ELSEWHERE
    )


def test_every_id_of_an_event_is_known_to_be_a_guests_or_not() -> None:
    ids = {
        field.name
        for event in Event.__subclasses__()
        if event.__module__.startswith("src.")
        for field in msgspec.structs.fields(event)
        if "UUID" in str(field.type)
    }
    assert ids == {*KEYS_OF_THEIRS, "seat_ids"} | OF_MANY_OR_NOBODY
