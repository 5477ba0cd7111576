"""The domain's invariants as statements that find what breaks them.

Each is a function named for what it says; it returns a SELECT of one text column that says what is
wrong, and has no row as long as all is well. They run within one business.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import text

from src.platform.db.uow import UnitOfWork
from tests.properties.plan_invariants import OF_PLANS

Invariant = Callable[[], str]
LIVE = "('held', 'confirmed', 'attended', 'no_show')"


def i1_seats_taken_are_the_live_seats_and_fit() -> str:
    """Places that a waiting list's offer holds are taken too."""
    return f"""
        SELECT s.id || ' says ' || s.seats_taken || ' of ' || s.capacity || ', has ' || live.n
            || ' and offers ' || held.n
        FROM sessions s CROSS JOIN LATERAL (SELECT count(*) AS n FROM seats
            WHERE session_id = s.id AND state IN {LIVE}) live
        CROSS JOIN LATERAL (SELECT coalesce(sum(places), 0) AS n FROM waitlist_offers
            WHERE state = 'live' AND holds AND s.id = ANY (session_ids)) held
        WHERE s.seats_taken <> live.n + held.n OR live.n + held.n > s.capacity"""


def i2_one_live_seat_per_participant_and_session() -> str:
    return f"""
        SELECT participant_id || ' sits ' || count(*) || ' times in ' || session_id FROM seats
        WHERE state IN {LIVE} GROUP BY session_id, participant_id HAVING count(*) > 1"""


def i3_shares_and_lines_sum_to_the_total() -> str:
    return """
        SELECT o.id || ': total ' || o.total_minor || ', lines ' || lines.n || ', seats ' || seats.n
        FROM orders o
        CROSS JOIN LATERAL (SELECT sum(total_minor) AS n, sum(discount_minor) AS off,
            sum(unit_minor * quantity) AS full, coalesce(sum(total_minor) FILTER (WHERE kind
            NOT IN ('package', 'voucher', 'fee')), 0) AS of_seats
            FROM order_lines WHERE order_id = o.id) lines
        CROSS JOIN LATERAL (SELECT coalesce(sum(share_minor), 0) AS n FROM seats
            WHERE order_id = o.id) seats
        WHERE lines.n <> o.total_minor OR seats.n <> lines.of_seats
           OR lines.off <> o.discount_minor OR lines.full - lines.off <> o.total_minor"""


def i4_refunds_stay_within_payments() -> str:
    return """
        SELECT o.id || ': paid ' || o.paid_minor || ', refunded ' || o.refunded_minor FROM orders o
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0) AS came,
            coalesce(sum(refunded_minor), 0) AS back FROM payments WHERE order_id = o.id) p
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0) AS asked FROM refunds
            WHERE order_id = o.id AND state <> 'failed') r
        WHERE o.paid_minor <> p.came OR o.refunded_minor <> p.back OR p.back <> r.asked
           OR p.back > p.came"""


def i4_refunded_credits_bring_no_more_than_was_paid_for_them() -> str:
    """What went back for a lot is what the refunds in its ledger ask for, where these are for its
    credits alone: one of the whole order takes what was lost at its end along. The business hands
    back itself what it took itself.
    """
    return """
        SELECT l.id || ' gave back ' || l.refunded_minor || ', its refunds are ' || r.n
        FROM credit_lots l LEFT JOIN orders o ON o.id = l.order_id
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0) AS n FROM refunds
            WHERE state <> 'failed' AND cause = 'credits' AND id IN (SELECT refund_id
            FROM credit_entries WHERE lot_id = l.id AND kind = 'refund')) r
        WHERE l.refunded_minor > CASE l.source WHEN 'seat' THEN l.value_minor ELSE l.paid_minor END
           OR (o.payment_mode = 'online' AND l.refunded_minor <> r.n AND NOT EXISTS (
               SELECT 1 FROM refunds WHERE state <> 'failed' AND cause <> 'credits' AND id IN
               (SELECT refund_id FROM credit_entries WHERE lot_id = l.id AND kind = 'refund')))
           OR (o.payment_mode IS DISTINCT FROM 'online' AND o.voucher_minor = 0 AND r.n <> 0)
        UNION ALL
        SELECT r.id || ' is for no credits' FROM refunds r WHERE r.cause = 'credits' AND NOT EXISTS
            (SELECT 1 FROM credit_entries WHERE refund_id = r.id AND kind = 'refund')"""


def i5_a_lots_balance_is_its_ledger() -> str:
    return """
        SELECT l.id || ' has ' || l.balance || ', its entries ' || e.n FROM credit_lots l
        CROSS JOIN LATERAL (SELECT coalesce(sum(credits), 0) AS n FROM credit_entries
            WHERE lot_id = l.id) e
        WHERE l.balance <> e.n OR l.balance < 0"""


def i5_each_seat_took_one_credit_and_gives_it_back_once() -> str:
    """A seat that was exchanged within its order took none itself: its predecessor's credit is its
    own now. One whose lot had ended may have got another lot instead; and what nothing paid for any
    more has left its lot again. What names the purchase of its own lot is of no seat: a package
    came, or came back.
    """
    return """
        SELECT o.id || ': ' || seats.taking || ' seats took ' || e.taken || ', ' || seats.giving
            || ' gave ' || e.given FROM orders o
        CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM
            seats old WHERE old.id = s.replaces_id AND old.order_id = s.order_id)) AS taking,
            count(*) FILTER (WHERE returned_as = 'credit' AND NOT EXISTS (SELECT 1 FROM credit_lots
            WHERE source_seat_id = s.id)) AS giving
            FROM seats s WHERE order_id = o.id AND credit_lot_id IS NOT NULL) seats
        CROSS JOIN LATERAL (SELECT -coalesce(sum(credits) FILTER (WHERE kind = 'redeem'), 0)
            AS taken, coalesce(sum(credits) FILTER (WHERE kind IN ('restore', 'adjust')), 0)
            AS given
            FROM credit_entries n WHERE order_id = o.id AND NOT EXISTS (SELECT 1 FROM credit_lots
            WHERE id = n.lot_id AND order_id = o.id)) e
        WHERE seats.taking <> e.taken OR seats.giving <> e.given"""


def i5_a_vouchers_balance_is_its_ledger() -> str:
    """What is spent by an order that stands is a payment of it; nothing is by one that has ended,
    and what has come back has come back to the very voucher. It pays again only once all that it
    had paid is back on it.
    """
    return """
        SELECT v.id || ' has ' || v.balance_minor || ', its entries ' || e.n FROM vouchers v
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0) AS n FROM voucher_entries
            WHERE voucher_id = v.id) e
        WHERE v.balance_minor <> e.n OR v.balance_minor < 0
        UNION ALL
        SELECT o.id || ' is ' || o.state || ', has taken ' || e.n || ', paid ' || p.n || ' less '
            || p.back FROM orders o
        CROSS JOIN LATERAL (SELECT -coalesce(sum(amount_minor), 0) AS n FROM voucher_entries
            WHERE order_id = o.id AND kind IN ('spend', 'give_back')) e
        CROSS JOIN LATERAL (SELECT coalesce(sum(r.amount_minor), 0) AS n FROM refunds r
            JOIN payments p ON p.id = r.payment_id WHERE r.order_id = o.id
            AND r.state = 'succeeded' AND p.method = 'voucher') back
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0) AS n, back.n AS back,
            greatest(count(*), 1) AS times
            FROM payments WHERE order_id = o.id AND method = 'voucher') p
        WHERE e.n <> CASE o.state WHEN 'open' THEN o.voucher_minor ELSE p.n - p.back END
           OR (o.state = 'confirmed' AND p.n <> o.voucher_minor * p.times)
           OR p.n > o.voucher_minor * p.times OR p.back < o.voucher_minor * (p.times - 1)"""


def i9_a_voucher_is_worth_what_is_left_of_what_bought_it() -> str:
    """What went back to its buyer is off it, and is on it again where that has failed."""
    return """
        SELECT v.id || ' was emptied of ' || e.n || ', ' || r.n || ' went back' FROM vouchers v
        CROSS JOIN LATERAL (SELECT -coalesce(sum(amount_minor), 0) AS n FROM voucher_entries
            WHERE voucher_id = v.id AND kind = 'refund') e
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0) AS n FROM refunds
            WHERE order_id = v.order_id AND state <> 'failed') r WHERE e.n <> r.n"""


def i11_a_credit_is_in_one_live_seat() -> str:
    """Of all seats that a lot has paid for, so many live as it has given and not got back."""
    return f"""
        SELECT l.id || ' sits in ' || seats.n || ' seats, ' || e.n || ' credits are out'
        FROM credit_lots l CROSS JOIN LATERAL (SELECT count(*) AS n FROM seats
            WHERE credit_lot_id = l.id AND state IN {LIVE}) seats
        CROSS JOIN LATERAL (SELECT -coalesce(sum(credits), 0) AS n FROM credit_entries
            WHERE lot_id = l.id AND seat_id IS NOT NULL AND kind IN ('redeem', 'restore')) e
        WHERE seats.n > e.n
        UNION ALL
        SELECT source_seat_id || ' has brought ' || count(*) FROM credit_lots
        WHERE source_seat_id IS NOT NULL GROUP BY source_seat_id HAVING count(*) > 1"""


def i11_what_is_in_credits_is_left_of_the_money() -> str:
    """An order's money is with the business, or goes back: what lies in its credits is of the
    former.
    """
    return """
        SELECT o.id || ': ' || l.n || ' lies in credits, ' || o.paid_minor - o.refunded_minor
            || ' is left' FROM orders o
        CROSS JOIN LATERAL (SELECT coalesce(sum(value_minor - refunded_minor), 0) AS n
            FROM credit_lots WHERE order_id = o.id AND source = 'seat') l
        WHERE l.n > greatest(o.paid_minor - o.refunded_minor, 0)"""


def i6_no_live_seat_in_a_cancelled_session() -> str:
    return f"""
        SELECT seats.id || ' lives in cancelled ' || sessions.id FROM seats
        JOIN sessions ON sessions.id = seats.session_id
        WHERE sessions.state = 'cancelled' AND seats.state IN {LIVE}"""


def i6_no_sale_in_a_session_that_is_being_cancelled() -> str:
    return """
        SELECT seats.id || ' was sold while ' || seats.session_id || ' was being cancelled'
        FROM seats JOIN bookings ON bookings.id = seats.booking_id
        JOIN sessions ON sessions.id = seats.session_id AND sessions.state <> 'scheduled'
        JOIN cancellations c ON c.subject_id = seats.session_id AND c.state <> 'undone'
            AND c.scope <> 'seats'
        WHERE seats.replaces_id IS NULL AND bookings.created_at > c.requested_at"""


def i7_what_was_bought_lies_in_its_one_series() -> str:
    return """
        SELECT seats.id || ' is in ' || sessions.id || ', not in what was booked' FROM seats
        JOIN bookings b ON b.id = seats.booking_id JOIN sessions ON sessions.id = seats.session_id
        WHERE seats.replaces_id IS NULL AND (sessions.series_id <> b.series_id
            OR (b.series_id IS NOT NULL AND sessions.series_id IS NULL)
            OR sessions.id <> b.session_id)"""


def i9_what_is_paid_is_delivered_or_goes_back() -> str:
    """Or is a part of a transfer that the rest of is waited for."""
    return """
        SELECT p.id || ' of ' || o.state || ' order ' || o.id || ' has no effect' FROM payments p
        JOIN orders o ON o.id = p.order_id
        WHERE NOT CASE WHEN p.is_extra THEN p.refunded_minor = p.amount_minor
            WHEN o.state = 'open' THEN p.method = 'transfer' AND p.amount_minor < o.total_minor
            ELSE o.state = 'confirmed' AND p.amount_minor <= o.total_minor END
          AND NOT EXISTS (SELECT 1 FROM open_items WHERE order_id = o.id AND closed_at IS NULL)"""


def i9_every_confirmed_seat_is_paid_for_or_needs_no_payment() -> str:
    return """
        SELECT o.id || ' is confirmed and ' || o.payment_mode || ', paid ' || o.paid_minor
        FROM orders o WHERE o.state = 'confirmed' AND NOT (o.payment_mode = 'on_site'
            OR (o.payment_mode IN ('free', 'credit') AND o.total_minor = 0)
            OR (o.payment_mode IN ('online', 'transfer')
                AND o.paid_minor >= o.total_minor - o.later_minor))"""


def i9_seats_are_as_their_order_is() -> str:
    return """
        SELECT s.id || ' is ' || s.state || ' in ' || o.state || ' order ' || o.id FROM seats s
        JOIN orders o ON o.id = s.order_id WHERE CASE o.state
            WHEN 'open' THEN s.state <> 'held'
            WHEN 'confirmed' THEN s.state IN ('held', 'expired')
            ELSE s.state <> 'expired' END"""


def i9_a_fee_is_paid_once_or_its_money_goes_back() -> str:
    """By the order that it names; what came for one that was not asked any more went back."""
    return """
        SELECT f.id || ' is ' || f.state || ', ' || coalesce(o.state, 'nothing') || ' pays it'
        FROM fees f LEFT JOIN orders o ON o.id = f.pays_id
        WHERE f.state = 'paid' AND (o.state IS DISTINCT FROM 'confirmed'
            OR o.paid_minor <> f.amount_minor)
        UNION ALL
        SELECT o.id || ' paid ' || o.paid_minor || ' for a fee that is ' || f.state
        FROM orders o JOIN order_lines l ON l.order_id = o.id AND l.kind = 'fee'
        JOIN fees f ON f.id = l.subject_id
        WHERE o.state = 'confirmed' AND NOT (f.state = 'paid' AND f.pays_id = o.id)
          AND o.paid_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM refunds
            WHERE order_id = o.id AND cause = 'not_delivered')"""


def i9_a_fee_is_asked_for_what_took_place_without_its_guest() -> str:
    """Never more than the share, but where a credit paid; of nothing that was called off."""
    return """
        SELECT f.id || ' asks ' || f.amount_minor || ' for ' || s.state || ', ' || s.share_minor
        FROM fees f JOIN seats s ON s.id = f.subject_id JOIN sessions ON sessions.id = s.session_id
        WHERE (f.amount_minor > s.share_minor AND s.credit_lot_id IS NULL)
           OR (f.state = 'asked' AND (sessions.state = 'cancelled' OR s.state
               IS DISTINCT FROM CASE f.kind WHEN 'no_show' THEN 'no_show' ELSE 'late_cancelled'
               END))"""


def money_in_is_money_out_and_what_is_left() -> str:
    """Of each order, payment by payment: what came is there, went back, or is on its way."""
    return """
        SELECT p.id || ' of ' || p.amount_minor || ' says ' || p.refunded_minor || ' went back, '
            || r.n || ' did' FROM payments p
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0) AS n FROM refunds
            WHERE payment_id = p.id AND state <> 'failed') r
        WHERE p.refunded_minor <> r.n OR r.n > p.amount_minor
        UNION ALL
        SELECT o.id || ': ' || seats.n || ' came back of seats, ' || l.n || ' lies in credits, of '
            || o.paid_minor || ' paid' FROM orders o
        CROSS JOIN LATERAL (SELECT coalesce(sum(returned_minor), 0) AS n FROM seats
            WHERE order_id = o.id) seats
        CROSS JOIN LATERAL (SELECT coalesce(sum(value_minor), 0) AS n FROM credit_lots
            WHERE order_id = o.id AND source = 'seat') l
        WHERE seats.n + l.n > o.paid_minor + (SELECT coalesce(sum(amount_minor), 0) FROM refunds
            WHERE order_id = o.id AND state = 'failed')"""


def a_place_that_is_handed_on_has_a_holder() -> str:
    return """
        SELECT s.id || ' is handed on to nobody' FROM seats s WHERE s.is_handed_on
            AND NOT EXISTS (SELECT 1 FROM handings_on
            WHERE seat_id = s.id AND participant_id = s.participant_id)"""


def i10_the_months_counter_is_what_was_booked_in_it() -> str:
    return """
        SELECT month || ': counter ' || coalesce(c.taken, 0) || ', booked ' || coalesce(b.n, 0)
        FROM booking_counters c FULL JOIN (SELECT month, count(*) AS n FROM orders
            WHERE state IN ('open', 'confirmed') AND month IS NOT NULL GROUP BY month) b
            USING (month)
        WHERE coalesce(c.taken, 0) <> coalesce(b.n, 0)"""


def i11_a_share_comes_back_once() -> str:
    """As money, as a credit or as a replacement seat; what seats returned was asked for as refunds
    of theirs, those left out that are for credits which were taken back.
    """
    return """
        SELECT s.id || ' is ' || s.state || ', returned as ' || coalesce(s.returned_as, 'nothing')
        FROM seats s CROSS JOIN LATERAL (SELECT count(*) AS n FROM seats
            WHERE replaces_id = s.id) heirs
        WHERE (s.state = 'swapped') <> (heirs.n = 1) OR heirs.n > 1
           OR (s.state = 'swapped' AND s.returned_as IS DISTINCT FROM 'seat'
               AND s.returned_as IS DISTINCT FROM 'credit')
           OR (s.returned_as = 'seat' AND s.state <> 'swapped')
           OR (s.returned_as IS DISTINCT FROM 'credit'
               AND EXISTS (SELECT 1 FROM credit_lots WHERE source_seat_id = s.id))
           OR (s.returned_as = 'credit' AND (SELECT count(*) FROM credit_lots
               WHERE source_seat_id = s.id) + (SELECT count(*) FROM credit_entries
               WHERE seat_id = s.id AND kind = 'restore') <> 1)
           OR EXISTS (SELECT 1 FROM credit_lots
               WHERE source_seat_id = s.id AND value_minor > s.share_minor)
           OR (s.returned_minor > 0) <> (s.returned_as IS NOT DISTINCT FROM 'money')
        UNION ALL
        SELECT o.id || ': seats returned ' || seats.n || ', refunds ' || r.n FROM orders o
        CROSS JOIN LATERAL (SELECT coalesce(sum(returned_minor), 0) AS n FROM seats
            WHERE order_id = o.id) seats
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0) AS n FROM refunds
            WHERE order_id = o.id AND cause IN ('cancelled', 'not_delivered')
            AND split_part(cause_key, ':', 3) NOT IN (SELECT id::text FROM credit_lots)) r
        WHERE seats.n <> r.n AND EXISTS (SELECT 1 FROM seats WHERE order_id = o.id)"""


def a_confirmed_seat_names_only_what_is_under_way_for_it() -> str:
    return """
        SELECT seats.id || ' is held by ' || c.state || ' ' || c.id FROM seats
        JOIN cancellations c ON c.id = seats.cancellation_id
        WHERE seats.state IN ('attended', 'no_show', 'swapped', 'late_cancelled')
           OR (seats.state = 'confirmed' AND c.state IN ('done', 'undone'))"""


def an_offer_is_taken_once_and_by_an_order_of_its_own() -> str:
    return """
        SELECT e.id || ' is ' || e.state || ' with ' || o.live || ' live, ' || o.taken || ' taken'
        FROM waitlist_entries e CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE state = 'live')
            AS live, count(*) FILTER (WHERE state = 'taken') AS taken FROM waitlist_offers
            WHERE entry_id = e.id) o
        WHERE (e.state = 'offered') <> (o.live = 1) OR (e.state = 'accepted') <> (o.taken = 1)
           OR o.live + o.taken > 1
        UNION ALL
        SELECT order_id || ' has taken ' || count(*) || ' offers' FROM waitlist_offers
        WHERE order_id IS NOT NULL GROUP BY order_id HAVING count(*) > 1"""


def coupon_uses_are_the_orders_that_hold_them() -> str:
    return """
        SELECT c.code || ' used ' || c.used || ', orders ' || uses.n || ', customers ' || each.n
        FROM coupons c
        CROSS JOIN LATERAL (SELECT count(*) AS n FROM coupon_uses u JOIN orders o
            ON o.id = u.order_id AND o.state IN ('open', 'confirmed')
            WHERE u.coupon_id = c.id) uses
        CROSS JOIN LATERAL (SELECT count(*) AS n FROM coupon_uses WHERE coupon_id = c.id
            AND returned_at IS NULL) standing
        CROSS JOIN LATERAL (SELECT coalesce(sum(used), 0) AS n FROM coupon_customers
            WHERE coupon_id = c.id) each
        WHERE c.used <> uses.n OR c.used <> each.n OR c.used <> standing.n"""


def nothing_in_the_outbox_has_failed() -> str:
    return """
        SELECT consumer || ': ' || coalesce(last_error, 'parked') FROM outbox
        WHERE failures > 0 OR parked_at IS NOT NULL"""


def at_rest_the_outbox_is_empty_but_for_later() -> str:
    return "SELECT consumer || ' is due' FROM outbox WHERE available_at <= $1"


def at_rest_all_refunds_have_arrived() -> str:
    """Or failed, of which a person knows as long as anything of the payment is left."""
    return """
        SELECT r.id || ' is ' || r.state FROM refunds r JOIN payments p ON p.id = r.payment_id
        WHERE r.state <> 'succeeded' AND NOT (r.state = 'failed'
            AND (p.refunded_minor = p.amount_minor OR EXISTS (SELECT 1 FROM open_items
            WHERE subject_id = r.id AND kind = 'refund_failed')))"""


def at_rest_all_mails_have_left() -> str:
    return "SELECT subject || ' has not left' FROM mails WHERE sent_at IS NULL"


def at_rest_every_guest_knows_the_session_as_it_is() -> str:
    """Whose place is being cancelled is told of that, or of the change once it is undone."""
    return """
        SELECT seats.id || ' was told ' || told_sequence || ' of ' || sessions.sequence FROM seats
        JOIN sessions ON sessions.id = seats.session_id AND sessions.state = 'scheduled'
        WHERE seats.state = 'confirmed' AND told_sequence <> sessions.sequence
          AND seats.cancellation_id IS NULL AND sessions.ends_at > $1"""


ALWAYS: Sequence[Invariant] = (
    i1_seats_taken_are_the_live_seats_and_fit,
    i2_one_live_seat_per_participant_and_session,
    i3_shares_and_lines_sum_to_the_total,
    i4_refunds_stay_within_payments,
    i4_refunded_credits_bring_no_more_than_was_paid_for_them,
    i5_a_lots_balance_is_its_ledger,
    i5_each_seat_took_one_credit_and_gives_it_back_once,
    i5_a_vouchers_balance_is_its_ledger,
    i6_no_live_seat_in_a_cancelled_session,
    i6_no_sale_in_a_session_that_is_being_cancelled,
    i7_what_was_bought_lies_in_its_one_series,
    i9_what_is_paid_is_delivered_or_goes_back,
    i9_every_confirmed_seat_is_paid_for_or_needs_no_payment,
    i9_seats_are_as_their_order_is,
    i9_a_voucher_is_worth_what_is_left_of_what_bought_it,
    i9_a_fee_is_paid_once_or_its_money_goes_back,
    i9_a_fee_is_asked_for_what_took_place_without_its_guest,
    money_in_is_money_out_and_what_is_left,
    a_place_that_is_handed_on_has_a_holder,
    i10_the_months_counter_is_what_was_booked_in_it,
    i11_a_share_comes_back_once,
    i11_a_credit_is_in_one_live_seat,
    i11_what_is_in_credits_is_left_of_the_money,
    a_confirmed_seat_names_only_what_is_under_way_for_it,
    an_offer_is_taken_once_and_by_an_order_of_its_own,
    coupon_uses_are_the_orders_that_hold_them,
    nothing_in_the_outbox_has_failed,
    *OF_PLANS,
)
AT_REST: Sequence[Invariant] = (
    at_rest_the_outbox_is_empty_but_for_later,
    at_rest_all_refunds_have_arrived,
    at_rest_all_mails_have_left,
    at_rest_every_guest_knows_the_session_as_it_is,
)


def _together(invariants: Sequence[Invariant]) -> str:
    """All of them in one round trip, each row with the name of what it breaks."""
    return " UNION ALL ".join(
        f"SELECT '{one.__name__}' AS broken, found.what FROM ({one()}) AS found (what)"
        for one in invariants
    )


WHAT_IS_BROKEN = _together(ALWAYS)
"""A SELECT of `broken` and `what`, which has no row as long as all is well."""
WHAT_IS_BROKEN_AT_REST = _together(AT_REST)
"""What does not hold although everything that was due by `$1` has been done."""
_STRANGERS = text(
    "SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM seats)"
    " + (SELECT count(*) FROM orders) + (SELECT count(*) FROM payments)"
    " + (SELECT count(*) FROM customers) + (SELECT count(*) FROM mails)"
)


async def i8_rows_that_a_stranger_sees(uow: UnitOfWork) -> int:
    """Asked by a business that has nothing."""
    return int(await uow.session.scalar(_STRANGERS) or 0)
