"""The one statement behind "what is on sale", put together from constants.

Every LATERAL part walks an index of sessions; those of services stop after a fixed number of rows.
Of each active, published series the dates are looked at once, so that ended ones take no place.
"""

from enum import StrEnum
from functools import lru_cache

from sqlalchemy import TextClause, text

from src.booking.queries.drop_in import rules_in_sql
from src.booking.queries.kept import KEPT_PACKAGES, KEPT_SERIES, KEPT_SERVICES


class Which(StrEnum):
    """What is asked about: all that is listed, one service, or what stands in a collection."""

    ALL = "all"
    ONE = "one"
    CHOSEN = "chosen"


NEXT_FREE_DATES = 60
NEXT_DATES = 20
NEWEST_SERIES = 60
MOST_SERIES_OF_A_SERVICE = 40

_PUBLISHED = "r.active AND r.visibility = 'public' AND r.published_at IS NOT NULL"
LISTED_SERIES = f"{_PUBLISHED} AND r.id <> ALL({KEPT_SERIES})"
"""Condition on `series r` for being shown to everybody. Parameter: tenant_id."""

SOLD_ALONE = f"(w.series_id IS NULL OR (d.allowed AND {LISTED_SERIES}))"
"""Condition on `sessions w`, its `series r` and the rules `d` that hold for it."""

_SHOWN = f"(w.series_id IS NULL OR ({LISTED_SERIES}))"
"""A date of a draft is nobody's next one."""

_NEXT = (
    "SELECT n.starts_at, n.series_id, n.tenant_id, n.drop_in_allowed, n.drop_in_price_minor,"
    " n.drop_in_opens_before, n.drop_in_opens_unit, n.drop_in_pays FROM sessions n"
    " WHERE n.tenant_id = s.tenant_id AND n.service_id = s.id AND n.state = 'scheduled'"
    " AND n.starts_at >= cast(:now AS timestamptz)"
    " + s.min_notice_minutes * interval '1 minute'"
    " AND n.starts_at < ((cast(:today AS date) + s.horizon_days + 1)::timestamp"
    " AT TIME ZONE :zone) {seats} ORDER BY n.starts_at LIMIT {most}"
)
_PRICES = (
    "LEFT JOIN LATERAL (SELECT json_agg(json_build_array(g.minor, g.before, g.unit, g.pays,"
    " g.first_at)) FILTER (WHERE g.alone) AS runs, min(g.shown_at) AS next_at"
    " FROM (SELECT {alone} AS alone, d.minor, d.before, d.unit, d.pays,"
    " min(w.starts_at) AS first_at, min(w.starts_at) FILTER (WHERE {shown}) AS shown_at"
    " FROM ({next}) w LEFT JOIN series r ON r.tenant_id = w.tenant_id AND r.id = w.series_id"
    " CROSS JOIN LATERAL (SELECT {rules}) d GROUP BY 1, 2, 3, 4, 5) g) {name} ON true"
)
"""Dates that are sold alone, by the rules they are sold under, with the first one's start: of dates
under one rule the first is the first to open.
"""
_SERVICES = (
    "SELECT s.id, s.slug, s.name, s.description, s.mode, s.sales_mode, s.price_type,"
    " s.price_minor, s.price_tiers, s.duration_minutes, s.min_notice_minutes, s.horizon_days,"
    " s.active, s.visibility, s.waitlist, s.tags, s.id = ANY({kept}) AS is_kept,"
    " CASE WHEN s.sales_mode <> 'series' THEN free.runs END AS free_runs,"
    " CASE WHEN s.sales_mode <> 'series' THEN coming.runs END AS coming_runs, coming.next_at,"
    " free.next_at AS next_free_at"
    " FROM services s {free} {coming}"
    " WHERE s.tenant_id = :tenant_id AND s.kind = 'group' AND {which} ORDER BY s.name, s.id"
)
_SERIES = (
    "SELECT r.id, r.service_id, r.id = ANY({kept}) AS is_kept,"
    " r.title, r.description, r.price_type, r.price_minor,"
    " r.price_tiers, r.visibility, r.join_policy, r.join_until_on, r.gap_policy,"
    " coalesce(r.base_sessions, 0) AS base_sessions,"
    " r.min_notice_minutes, runs.runs FROM ({candidates}) r"
    " CROSS JOIN LATERAL (SELECT json_agg(json_build_array(n.id, n.starts_at, n.ends_at, n.state,"
    " n.capacity, n.seats_taken, n.in_term, n.mode, l.name, n.title)"
    " ORDER BY n.starts_at, n.id) AS runs"
    " FROM sessions n LEFT JOIN locations l ON l.tenant_id = n.tenant_id AND l.id = n.location_id"
    " WHERE n.tenant_id = r.tenant_id AND n.series_id = r.id) runs"
)
_JOINABLE = (
    "(r.join_policy = 'any_time' OR d.first_at >= :now"
    " OR (r.join_policy = 'until' AND r.join_until_on >= cast(:today AS date)))"
)
_RUNNING = (
    "SELECT r.*, s.min_notice_minutes FROM series r"
    " JOIN services s ON s.tenant_id = r.tenant_id AND s.id = r.service_id"
    " AND s.sales_mode <> 'single' AND s.kind = 'group' AND {which}"
    " CROSS JOIN LATERAL (SELECT min(n.starts_at) AS first_at, max(n.starts_at) AS last_at"
    " FROM sessions n WHERE n.tenant_id = r.tenant_id AND n.series_id = r.id"
    " AND n.state = 'scheduled') d"
    " WHERE r.tenant_id = :tenant_id AND d.last_at >= :now AND {listed}"
)
"""Ended series stay active, so what is over is left out before the newest are counted."""

_OF_ONE_SERVICE = (
    f"r.active AND r.published_at IS NOT NULL AND (({LISTED_SERIES})"
    " OR (r.visibility <> 'hidden' AND r.id = cast(:series_id AS uuid)))"
    f" ORDER BY r.id = cast(:series_id AS uuid) DESC NULLS LAST, {_JOINABLE} DESC, r.id DESC"
    f" LIMIT {MOST_SERIES_OF_A_SERVICE}"
)
"""Those that cannot be joined any more are shown too, where there is room."""

_OF_CHOSEN = (
    "r.active AND r.published_at IS NOT NULL AND r.visibility <> 'hidden'"
    f" AND (r.id = ANY(CAST(:series_ids AS uuid[])) OR ({LISTED_SERIES}))"
    f" ORDER BY r.id = ANY(CAST(:series_ids AS uuid[])) DESC, {_JOINABLE} DESC, r.id DESC"
    f" LIMIT {NEWEST_SERIES + MOST_SERIES_OF_A_SERVICE}"
)
"""Those in the collection, and those that decide what its services cost."""

_NEWEST = f"{LISTED_SERIES} AND {_JOINABLE} ORDER BY r.id DESC LIMIT {NEWEST_SERIES}"
_PERFORMERS = (
    "SELECT p.id, p.name FROM performers p WHERE p.tenant_id = :tenant_id AND p.active"
    " ORDER BY p.name"
)
_COUNTER = "SELECT taken FROM booking_counters WHERE tenant_id = :tenant_id AND month = :month"
_PACKAGES = (
    "SELECT exists(SELECT 1 FROM packages k WHERE k.tenant_id = :tenant_id AND k.active"
    " AND k.purpose = 'sale' AND k.visibility = 'public' AND (k.price_minor = 0"
    """ OR (k.pays @> '["online"]' AND cast(:takes_money AS boolean))"""
    """ OR k.pays @> '["on_site"]') AND k.id <> ALL({kept}))"""
)
_APPOINTMENTS = (
    "SELECT s.id, s.slug, s.name, s.description, s.mode, s.price_type, s.price_minor,"
    " s.duration_minutes, s.tags, coalesce(s.appointment->'lengths', '[]') AS lengths,"
    " s.id = ANY({kept}) AS is_kept"
    " FROM services s WHERE s.tenant_id = :tenant_id AND s.kind = 'appointment' AND s.active"
    " AND {which} AND exists(SELECT 1 FROM service_performers g"
    " JOIN performers p ON p.tenant_id = g.tenant_id AND p.id = g.performer_id AND p.active"
    " WHERE g.tenant_id = s.tenant_id AND g.service_id = s.id) ORDER BY s.name, s.id"
)
"""Of those that nobody gives, nothing can be booked."""

_GIVEN_LISTED = f"s.visibility = 'public' AND s.id <> ALL({KEPT_SERVICES})"
_GIVEN_CHOSEN = "s.visibility <> 'hidden' AND s.id = ANY(CAST(:service_ids AS uuid[]))"

_VOUCHERS = (
    "SELECT exists(SELECT 1 FROM voucher_settings x WHERE x.tenant_id = :tenant_id AND x.is_on)"
)
_PACKED = "(SELECT coalesce(json_agg({name}), '[]')::text FROM ({rows}) {name})"
"""Rows as one JSON text, which is decoded much faster than rows are fetched."""

_ONE = "s.slug = :service_slug AND s.visibility <> 'hidden'"
_CHOSEN = "s.id = ANY(CAST(:service_ids AS uuid[])) AND s.visibility <> 'hidden'"
_ALL = f"s.active AND s.visibility = 'public' AND s.id <> ALL({KEPT_SERVICES})"


_SERVICES_OF = {Which.ALL: _ALL, Which.ONE: _ONE, Which.CHOSEN: _CHOSEN}
_SERIES_OF = {Which.ALL: _NEWEST, Which.ONE: _OF_ONE_SERVICE, Which.CHOSEN: _OF_CHOSEN}


@lru_cache(maxsize=3)
def on_sale_statement(asked: Which) -> TextClause:
    """One row of services, series and performers as JSON texts, the month's count, whether
    there is a package that everybody can buy, whether vouchers are switched on, and the services by
    appointment as JSON text, none for one service.

    Parameters: tenant_id, now, today, zone, month, takes_money; for one service also service_slug,
    series_id; for what is chosen service_ids, series_ids.
    """
    which = _SERVICES_OF[asked]
    services = _SERVICES.format(
        free=_prices("free", "AND n.seats_taken < n.capacity", NEXT_FREE_DATES),
        coming=_prices("coming", "", NEXT_DATES),
        which=which,
        kept=KEPT_SERVICES,
    )
    listed = _SERIES_OF[asked]
    series = _SERIES.format(
        candidates=_RUNNING.format(which=which, listed=listed), kept=KEPT_SERIES
    )
    which_given = _GIVEN_CHOSEN if asked is Which.CHOSEN else _GIVEN_LISTED
    appointments = _APPOINTMENTS.format(kept=KEPT_SERVICES, which=which_given)
    columns = [
        _PACKED.format(name="service", rows=services),
        _PACKED.format(name="one_series", rows=series),
        _PACKED.format(name="performer", rows=_PERFORMERS),
        f"({_COUNTER})",
        f"({_PACKAGES.format(kept=KEPT_PACKAGES)})",
        f"({_VOUCHERS})",
        "'[]'" if asked is Which.ONE else _PACKED.format(name="appointment", rows=appointments),
    ]
    return text(f"SELECT {', '.join(columns)}")


def _prices(name: str, seats: str, most: int) -> str:
    upcoming = _NEXT.format(seats=seats, most=most)
    rules = rules_in_sql("w", "r")
    return _PRICES.format(rules=rules, alone=SOLD_ALONE, shown=_SHOWN, next=upcoming, name=name)
