"""What always holds of prices that are paid in parts, as statements that find what breaks it."""


def i3_parts_sum_to_what_is_to_pay() -> str:
    """Beside what a voucher pays; what is paid at once has none."""
    return """
        SELECT o.id || ': to pay ' || o.total_minor - o.voucher_minor || ', parts ' || p.n
            || ', later ' || o.later_minor || ', is ' || p.later
        FROM orders o CROSS JOIN LATERAL (SELECT coalesce(sum(minor), 0) AS n,
            coalesce(sum(minor) FILTER (WHERE number > 1), 0) AS later, count(*) AS parts
            FROM instalments WHERE order_id = o.id) p
        WHERE (o.later_minor > 0) <> (p.parts > 0) OR p.later <> o.later_minor
           OR (p.parts > 0 AND p.n <> o.total_minor - o.voucher_minor)"""


def i4_a_part_is_paid_once() -> str:
    """A payment that is kept brings as much as the parts that it paid; what is over goes back."""
    return """
        SELECT p.id || ' brought ' || p.amount_minor || ', sent back ' || back.n || ', paid '
            || parts.n FROM payments p JOIN orders o ON o.id = p.order_id AND o.later_minor > 0
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0) AS n FROM refunds
            WHERE payment_id = p.id AND cause IN ('paid_twice', 'not_asked')) back
        CROSS JOIN LATERAL (SELECT coalesce(sum(minor), 0) AS n FROM instalments
            WHERE payment_id = p.id) parts
        WHERE NOT p.is_extra AND p.method <> 'voucher' AND o.state = 'confirmed'
          AND p.amount_minor - back.n <> parts.n"""


def i5_credits_are_worth_the_parts_that_were_paid() -> str:
    return """
        SELECT l.id || ' says ' || l.paid_minor || ', voucher ' || o.voucher_minor || ', parts '
            || p.n FROM credit_lots l JOIN orders o ON o.id = l.order_id AND o.later_minor > 0
        CROSS JOIN LATERAL (SELECT coalesce(sum(minor), 0) AS n FROM instalments
            WHERE order_id = o.id AND state = 'paid') p
        WHERE l.source = 'package' AND o.state = 'confirmed'
          AND l.paid_minor <> o.voucher_minor + p.n"""


def i9_a_part_that_is_waited_for_is_looked_at() -> str:
    """A job has it on its list as long as it is due, and a person once it is overdue."""
    return """
        SELECT i.id || ' is ' || i.state || ', due rows ' || d.n || ', open items ' || t.n
        FROM instalments i JOIN orders o ON o.id = i.order_id
        CROSS JOIN LATERAL (SELECT count(*) AS n FROM due WHERE ref = i.id AND kind = 'part') d
        CROSS JOIN LATERAL (SELECT count(*) AS n FROM open_items
            WHERE subject_id = i.id AND kind = 'part_overdue') t
        WHERE o.state = 'confirmed' AND CASE i.state WHEN 'due' THEN d.n <> 1
            WHEN 'overdue' THEN d.n <> 0 OR t.n <> 1 ELSE d.n <> 0 END"""


def i5_nobody_pays_parts_for_credits_whose_money_went() -> str:
    """Credits that left with a refund or a dispute take with them what was still to be paid."""
    return """
        SELECT i.id || ' is ' || i.state || ', lot ' || l.id || ' lost ' || l.refunded_minor
        FROM instalments i JOIN orders o ON o.id = i.order_id AND o.state = 'confirmed'
        JOIN credit_lots l ON l.order_id = o.id AND l.source = 'package'
        WHERE i.state IN ('due', 'overdue') AND (l.refunded_minor > 0 OR (
            EXISTS (SELECT 1 FROM disputes d JOIN payments p ON p.id = d.payment_id
                WHERE d.order_id = o.id AND d.state = 'lost' AND NOT p.is_extra)
            AND EXISTS (SELECT 1 FROM credit_entries e WHERE e.lot_id = l.id AND e.credits < 0
                AND e.kind = 'adjust' AND e.by = 'system' AND e.order_id IS NULL)))"""


OF_PLANS = (
    i3_parts_sum_to_what_is_to_pay,
    i4_a_part_is_paid_once,
    i5_credits_are_worth_the_parts_that_were_paid,
    i5_nobody_pays_parts_for_credits_whose_money_went,
    i9_a_part_that_is_waited_for_is_looked_at,
)
