"""Who may open what of a business's dashboard: the least role for each method of each address.

A new route joins the list, with the least role that its work needs; the test fails otherwise.
"""

import re

from src.tenants.domain.roles import Role

_INSTRUCTOR = """
GET
GET /today
GET POST /digests
GET /sessions
GET /sessions/{session_id}
GET /sessions/{session_id}/print
GET /calendar
GET /calendar/entries
GET /calendar/feeds
POST /calendar/feeds/own
POST /calendar/feeds/own/revoke
POST /sessions/{session_id}/attendance
GET POST /check-in
GET POST /check-in/{code}
GET POST /sessions/{session_id}/seats/{seat_id}
GET /hours
GET POST /settings/performers/{performer_id}/hours
POST /settings/performers/{performer_id}/hours/days
POST /settings/performers/{performer_id}/hours/days/remove
"""

_MANAGER = """
GET /start
GET POST /settings
GET POST /settings/timezone
GET POST /settings/terms
GET POST /settings/branding
GET /settings/accent.css
GET POST /settings/performers
GET POST /settings/performers/{performer_id}
POST /settings/performers/{performer_id}/active
GET POST /settings/closed-days
POST /settings/closed-days/holidays
POST /settings/closed-days/remove
GET /settings/locations
GET POST /settings/locations/new
GET POST /settings/locations/{location_id}
POST /settings/locations/{location_id}/active
GET /settings/mails
GET POST /settings/mails/{kind}
POST /settings/mails/{kind}/reset
POST /settings/mails/{kind}/preview
GET POST /settings/team
POST /settings/team/invitations/{invitation_id}/resend
POST /settings/team/invitations/{invitation_id}/revoke
GET POST /settings/team/{member_id}
GET POST /settings/team/{member_id}/remove
GET /settings/log
GET POST /plan
GET /plan/{key}
GET POST /plan/bolt-ons/{bolt_on}
GET /orders
GET /orders/{order_id}
POST /orders/{order_id}/paid
POST /orders/{order_id}/package/cancel
GET POST /orders/{order_id}/refund
POST /orders/{order_id}/refunds/{refund_id}/retry
GET POST /orders/{order_id}/items/{item_id}/close
POST /orders/{order_id}/parts/{part_id}/paid
GET POST /orders/{order_id}/parts/{part_id}/waive
GET /orders/{order_id}/transfer
POST /orders/{order_id}/transfer/received
POST /orders/{order_id}/transfer/due
POST /orders/{order_id}/transfer/release
GET POST /orders/{order_id}/transfer/mistake
GET /fees
GET /fees/{fee_id}
POST /fees/{fee_id}/forgive
POST /fees/{fee_id}/paid
GET /services
GET POST /services/new
GET POST /services/{service_id}/edit
POST /services/{service_id}/active
GET POST /services/{service_id}/reminders
GET POST /services/{service_id}/waitlist
GET POST /services/{service_id}/refunds
GET POST /series/{series_id}/refunds
GET /sessions/{session_id}/waitlist
GET /series/{series_id}/waitlist
POST /waitlist/{entry_id}/offer
GET POST /waitlist/{entry_id}/remove
GET /broadcasts
GET POST /broadcasts/new
POST /broadcasts/new/preview
POST /broadcasts/new/trial
POST /broadcasts/new/link
GET /broadcasts/{broadcast_id}
GET /services/{service_id}/sessions
GET POST /services/{service_id}/sessions/new
GET POST /services/{service_id}/sessions/repeat
GET POST /services/{service_id}/import
GET /services/{service_id}/series
GET POST /services/{service_id}/series/new
GET POST /sessions/{session_id}/edit
GET POST /sessions/{session_id}/cancel
GET POST /sessions/{session_id}/delete
GET POST /sessions/{session_id}/minimum
GET POST /sessions/{session_id}/drop-in
GET POST /sessions/{session_id}/several
GET POST /sessions/chosen/cancel
POST /sessions/chosen/edit
POST /sessions/{session_id}/go
POST /sessions/{session_id}/export
POST /sessions/{session_id}/seats/cancel
POST /sessions/{session_id}/seats/message
POST /sessions/{session_id}/seats/move
POST /sessions/{session_id}/seats/paid
GET POST /sessions/{session_id}/seats/{seat_id}/hand-on
GET /series
GET /series/{series_id}
GET /series/{series_id}/buyers
GET POST /series/{series_id}/edit
GET POST /series/{series_id}/copy
GET POST /series/{series_id}/cancel
POST /series/{series_id}/publish
POST /series/{series_id}/unpublish
GET POST /customers/{customer_id}/credits/new
GET /credits
POST /credits/sales
POST /credits/usage
GET /credits/{lot_id}
GET POST /credits/{lot_id}/people
GET POST /credits/{lot_id}/{act}
GET /packages
GET /packages/embed
GET /link
GET /services/{service_id}/link
GET /series/{series_id}/link
GET /packages/{package_id}/link
GET /collections/{collection_id}/link
GET POST /packages/new
GET /packages/{package_id}
GET POST /packages/{package_id}/edit
POST /packages/{package_id}/active
GET POST /packages/{package_id}/delete
GET /collections
GET POST /collections/new
GET /collections/{collection_id}
GET POST /collections/{collection_id}/edit
POST /collections/{collection_id}/items
POST /collections/{collection_id}/items/{collection_item_id}/move
POST /collections/{collection_id}/items/{collection_item_id}/remove
POST /collections/{collection_id}/move
POST /collections/{collection_id}/on
GET POST /collections/{collection_id}/off
GET POST /collections/{collection_id}/delete
GET /groups
GET POST /groups/new
GET /groups/{group_id}
GET POST /groups/{group_id}/edit
POST /groups/{group_id}/givers
POST /groups/{group_id}/on
GET POST /groups/{group_id}/off
GET POST /groups/{group_id}/delete
POST /groups/{group_id}/members
POST /groups/{group_id}/members/{group_member_id}/remove
GET POST /groups/{group_id}/posts/new
GET POST /groups/{group_id}/posts/{group_post_id}/edit
GET POST /groups/{group_id}/posts/{group_post_id}/delete
GET /agreements
GET POST /agreements/new
GET /agreements/{agreement_id}
GET POST /agreements/{agreement_id}/edit
GET POST /agreements/{agreement_id}/publish
GET POST /agreements/{agreement_id}/asked-for
POST /agreements/{agreement_id}/active
POST /agreements/{agreement_id}/export
GET /agreements/{agreement_id}/versions/{number}
GET /agreements/{agreement_id}/signatures/{signature_id}
GET /agreements/{agreement_id}/signatures/{signature_id}/signature.pdf
GET POST /services/{service_id}/agreements
GET POST /series/{series_id}/agreements
GET POST /packages/{package_id}/agreements
GET /worksheets
GET POST /worksheets/new
GET /worksheets/{worksheet_id}
GET POST /worksheets/{worksheet_id}/edit
GET POST /worksheets/{worksheet_id}/publish
GET POST /worksheets/{worksheet_id}/asked-for
POST /worksheets/{worksheet_id}/active
POST /worksheets/{worksheet_id}/export
GET POST /worksheets/{worksheet_id}/questions/new
GET POST /worksheets/{worksheet_id}/questions/{question}/edit
POST /worksheets/{worksheet_id}/questions/{question}/move
POST /worksheets/{worksheet_id}/questions/{question}/remove
GET /worksheets/{worksheet_id}/copies/{copy_id}
GET /worksheets/{worksheet_id}/copies/{copy_id}/print
POST /worksheets/{worksheet_id}/copies/{copy_id}/reopen
POST /worksheets/{worksheet_id}/copies/{copy_id}/take-back
GET /worksheets/{worksheet_id}/copies/{copy_id}/files/{file_id}
POST /worksheets/{worksheet_id}/copies/{copy_id}/files/{file_id}/delete
POST /customers/{customer_id}/worksheets
GET /coupons
GET POST /coupons/new
GET /coupons/{coupon_id}
GET POST /coupons/{coupon_id}/edit
POST /coupons/{coupon_id}/active
GET POST /coupons/{coupon_id}/delete
POST /coupons/{coupon_id}/export
GET /vouchers
GET POST /vouchers/new
GET POST /vouchers/settings
POST /vouchers/export
GET /vouchers/{voucher_id}
POST /vouchers/{voucher_id}/blocked
POST /vouchers/{voucher_id}/send
POST /vouchers/{voucher_id}/adjust
POST /vouchers/{voucher_id}/extend
GET /customers
POST /customers/export
GET POST /customers/new
GET /customers/{customer_id}
GET POST /customers/{customer_id}/appointment/{appointments_of}
GET POST /customers/{customer_id}/book
GET POST /customers/{customer_id}/edit
GET /customers/{customer_id}/merge
GET POST /customers/{customer_id}/merge/{other_id}
POST /customers/{customer_id}/notes
POST /customers/{customer_id}/notes/{note_id}/remove
POST /customers/{customer_id}/tags
GET /bookings/{booking_id}
GET POST /bookings/{booking_id}/people
GET POST /bookings/{booking_id}/cancel
POST /bookings/{booking_id}/link
POST /bookings/{booking_id}/paid
GET POST /bookings/{booking_id}/release
GET POST /leave-requests/{request_id}
GET /cancellations/{cancellation_id}
POST /cancellations/{cancellation_id}/undo
POST /cancellations/{cancellation_id}/refunds/retry
POST /cancellations/{cancellation_id}/refunds/{refund_id}/retry
POST /cancellations/{cancellation_id}/handed/{order_id}
GET POST /imports/{import_id}
GET POST /imports/{import_id}/columns
POST /imports/{import_id}/commit
POST /imports/{import_id}/delete
GET /calendar/new
POST /calendar/feeds/business
POST /customers/{customer_id}/calendar/revoke
POST /calendar/feeds/business/revoke
"""

_OWNER = """
GET POST /plan/bolt-ons/{bolt_on}/remove
GET POST /settings/api-keys
GET POST /settings/api-keys/{key_id}/revoke
POST /customers/{customer_id}/export
GET POST /customers/{customer_id}/erase
GET /payments
GET /payments/refresh
GET /payments/return
POST /payments/connect
POST /payments/check
POST /payments/methods
GET POST /payments/transfer
POST /payments/transfer/stop
"""

Entry = tuple[str, str]
"""A method, and an address below /app/<slug> with its places named."""


def _entries(text: str, role: Role) -> dict[Entry, Role]:
    found: dict[Entry, Role] = {}
    for line in text.strip().splitlines():
        *methods, path = line.split(" ") if "/" in line else [line, ""]
        found |= {(method, path): role for method in methods}
    return found


LEAST: dict[Entry, Role] = {
    **_entries(_INSTRUCTOR, Role.INSTRUCTOR),
    **_entries(_MANAGER, Role.MANAGER),
    **_entries(_OWNER, Role.OWNER),
}


def entry_of(method: str, path: str) -> Entry:
    """The entry of a route by its path as the framework has it."""
    plain = re.sub(r"\{(\w+):\w+\}", r"{\1}", path)
    return method, plain.removeprefix("/app/{slug}")
