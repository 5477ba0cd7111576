"""Whether something can be booked, and if not, every reason with a way to mend it.

One answer serves all askers: the booking commands refuse with it, guests read one sentence of it,
and owners see the whole of it under "why can't Anna book this?".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from src.booking.domain.kinds import (
    SalesMode,
    SeriesPriceType,
    ServiceKind,
    SessionState,
    Visibility,
)
from src.booking.domain.pricing import (
    SeriesQuote,
    SeriesSession,
    SeriesTerms,
    largest_party,
    quote_series,
)
from src.booking.domain.reasons import (
    Reason,
    ReasonCode,
    closed_reason,
    credit_only,
    established_only,
    full_reason,
    not_at_present,
    not_confirmed,
    off_reason,
    series_off_sale,
)
from src.booking.domain.seats_told import is_told
from src.platform.i18n import _, current_babel_locale
from src.platform.localtime import to_local


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessFacts:
    """`status` is the tenant's: active, past_due, paused, suspended or closed.

    `is_confirmed`: an owner has proved an e-mail address. `seats_told_up_to`: see `is_told`.
    """

    zone: ZoneInfo
    status: str = "active"
    is_confirmed: bool = True
    may_sell_groups: bool = True
    may_sell_series: bool = True
    may_sell_appointments: bool = True
    monthly_limit_reached: bool = False
    payments_ready: bool = True
    seats_told_up_to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """`is_kept_from_them`: what is asked for is for established customers, and who asks is none."""

    kind: ServiceKind = ServiceKind.GROUP
    active: bool = True
    visibility: Visibility = Visibility.PUBLIC
    sales_mode: SalesMode = SalesMode.BOTH
    min_notice_minutes: int = 0
    horizon_days: int | None = None
    max_party_size: int = 10
    is_kept_from_them: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """One session, asked for alone by `party_size` people.

    `in_series` with `drop_in_allowed` makes it a drop-in, on sale while its series is published,
    active and not hidden, which `series_on_sale` says; `drop_in_opens_at` is None when drop-ins
    may book at once. `credit_only`: it is sold for credits alone. `pays_online`: the wanted way to
    pay is the payment page, for a price above 0. `is_anothers`: it is the appointment of somebody
    else than who asks.
    """

    business: BusinessFacts
    service: ServiceFacts
    state: SessionState
    starts_at: datetime
    capacity: int
    taken: int
    party_size: int = 1
    pays_online: bool = False
    in_series: bool = False
    series_on_sale: bool = True
    drop_in_allowed: bool = False
    drop_in_opens_at: datetime | None = None
    credit_only: bool = False
    is_anothers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFacts:
    """A series, asked for by `party_size` people."""

    business: BusinessFacts
    service: ServiceFacts
    terms: SeriesTerms
    sessions: Sequence[SeriesSession]
    active: bool
    visibility: Visibility
    published: bool = True
    party_size: int = 1


def why_not_bookable_session(facts: SessionFacts, now: datetime) -> list[Reason]:
    """Every reason against, the weightiest first; empty when it may be booked."""
    return [
        *_business_reasons(facts.business, facts.service.kind),
        *_service_reasons(facts.service, facts.party_size),
        *_single_sale_reasons(facts, now),
        *_session_reasons(facts, now),
        *_payment_reasons(facts.business, facts.pays_online),
    ]


def why_not_bookable_series(facts: SeriesFacts, now: datetime) -> list[Reason]:
    """Every reason against, the weightiest first; empty when it may be booked."""
    quote = quote_series(
        facts.terms, facts.sessions, now, facts.business.zone, party_size=facts.party_size
    )
    pays_online = facts.terms.price_type is SeriesPriceType.ONLINE and facts.terms.price_minor > 0
    return [
        *_business_reasons(facts.business, facts.service.kind),
        *_series_plan_reasons(facts.business),
        *_service_reasons(facts.service, facts.party_size),
        *_series_sale_reasons(facts),
        *_quote_reasons(facts, quote, now),
        *_payment_reasons(facts.business, pays_online),
    ]


def why_not_offered(
    business: BusinessFacts, service: ServiceFacts, *, pays_online: bool
) -> list[Reason]:
    """What stands against everything of the service, whatever its dates."""
    return [
        *_business_reasons(business, service.kind),
        *_service_reasons(service, party_size=1),
        *_payment_reasons(business, pays_online),
    ]


def _business_reasons(business: BusinessFacts, kind: ServiceKind) -> list[Reason]:
    reasons: list[Reason] = [] if business.is_confirmed else [not_confirmed()]
    if business.status not in ("active", "past_due"):
        reasons.append(
            Reason(
                ReasonCode.BUSINESS_CLOSED,
                not_at_present(),
                _("The business takes no new bookings: it is %(status)s.", status=business.status),
                _("Settle what is open under Plan, or end the pause."),
            )
        )
    reasons += _kind_reasons(business, kind)
    if business.monthly_limit_reached:
        reasons.append(
            Reason(
                ReasonCode.MONTHLY_LIMIT,
                not_at_present(),
                _("This month's bookings are used up."),
                _("Choose a bigger plan, or add bookings by a bolt-on."),
            )
        )
    return reasons


def _kind_reasons(business: BusinessFacts, kind: ServiceKind) -> list[Reason]:
    """Whether the plan has what the service is."""
    if kind is ServiceKind.APPOINTMENT:
        if business.may_sell_appointments:
            return []
        return [
            Reason(
                ReasonCode.PLAN_LACKS_APPOINTMENTS,
                not_at_present(),
                _("The plan does not include appointments."),
                _("Choose a plan with appointments."),
            )
        ]
    if business.may_sell_groups:
        return []
    return [
        Reason(
            ReasonCode.PLAN_LACKS_GROUPS,
            not_at_present(),
            _("The plan does not include group services."),
            _("Choose a plan with group services."),
        )
    ]


def _series_plan_reasons(business: BusinessFacts) -> list[Reason]:
    if business.may_sell_series or not business.may_sell_groups:
        return []
    return [
        Reason(
            ReasonCode.PLAN_LACKS_SERIES,
            not_at_present(),
            _("The plan does not include series."),
            _("Choose a plan with series."),
        )
    ]


def _service_reasons(service: ServiceFacts, party_size: int) -> list[Reason]:
    reasons: list[Reason] = [established_only()] if service.is_kept_from_them else []
    if not service.active:
        reasons.append(
            Reason(
                ReasonCode.SERVICE_INACTIVE,
                not_at_present(),
                _("The service is switched off."),
                _("Switch the service on."),
            )
        )
    if service.visibility is Visibility.HIDDEN:
        reasons.append(
            Reason(
                ReasonCode.SERVICE_HIDDEN,
                not_at_present(),
                _("The service is hidden from guests."),
                _("Make the service public or unlisted."),
            )
        )
    if party_size > service.max_party_size:
        limit = service.max_party_size
        reasons.append(
            Reason(
                ReasonCode.PARTY_TOO_BIG,
                _("At most %(limit)s people can be booked at once.", limit=limit),
                _("The party is bigger than the %(limit)s people allowed.", limit=limit),
                _("Raise the biggest party of the service, or book in two parts."),
            )
        )
    return reasons


def _payment_reasons(business: BusinessFacts, pays_online: bool) -> list[Reason]:
    if business.payments_ready or not pays_online:
        return []
    return [
        Reason(
            ReasonCode.PAYMENTS_NOT_READY,
            _("Online payment is not possible at present. Please contact the business."),
            _("The payment account is not connected, or may not take payments yet."),
            _("Finish connecting payments, or let guests pay on site."),
        )
    ]


def _single_sale_reasons(facts: SessionFacts, now: datetime) -> list[Reason]:
    """Whether one date may be sold alone at all, and by now."""
    if facts.service.sales_mode is SalesMode.SERIES:
        return [
            Reason(
                ReasonCode.NOT_SOLD_SINGLY,
                _("Single dates are not on sale; please choose a series."),
                _("The service is sold as series only."),
                _("Set the sales mode to single sessions or both."),
            )
        ]
    if facts.in_series and not facts.series_on_sale:
        return [series_off_sale()]
    if facts.in_series and not facts.drop_in_allowed:
        return [
            Reason(
                ReasonCode.DROP_IN_NOT_ALLOWED,
                _("This date is sold only as part of its series."),
                _("The session's series sells no single places."),
                _("Sell single places of the series, or of this date."),
            )
        ]
    if facts.credit_only:
        return [credit_only()]
    return _drop_in_opening_reasons(facts, now)


def _drop_in_opening_reasons(facts: SessionFacts, now: datetime) -> list[Reason]:
    if facts.drop_in_opens_at is None or now >= facts.drop_in_opens_at:
        return []
    when = _when(facts.drop_in_opens_at, facts.business.zone)
    return [
        Reason(
            ReasonCode.DROP_IN_NOT_OPEN,
            _("Single places open on %(when)s.", when=when),
            _("Single places open on %(when)s.", when=when),
            _("Open single places earlier, or add the guest yourself."),
        )
    ]


def _session_reasons(facts: SessionFacts, now: datetime) -> list[Reason]:
    if facts.state is not SessionState.SCHEDULED:
        return [off_reason(facts.state, mend=_("Publish a new session instead."))]
    if now > facts.starts_at:
        started = _("This date has already started.")
        return [Reason(ReasonCode.STARTED, started, started, "")]
    if facts.is_anothers:
        return [
            Reason(
                ReasonCode.ANOTHERS_APPOINTMENT,
                _("This time is taken. Please choose another one."),
                _("It is somebody's appointment."),
                _("Book another time for this guest."),
            )
        ]
    return [*_window_reasons(facts, now), *_seat_reasons(facts)]


def _window_reasons(facts: SessionFacts, now: datetime) -> list[Reason]:
    """Minimum notice in real minutes, the furthest day in calendar days of the business."""
    zone, service = facts.business.zone, facts.service
    if now + timedelta(minutes=service.min_notice_minutes) > facts.starts_at:
        return [
            Reason(
                ReasonCode.TOO_LATE,
                _("Booking for this date has closed."),
                _("The minimum notice before the start has begun."),
                _("Shorten the minimum notice, or add the guest yourself."),
            )
        ]
    if service.horizon_days is None:
        return []
    furthest_on = to_local(now, zone).date() + timedelta(days=service.horizon_days)
    if to_local(facts.starts_at, zone).date() <= furthest_on:
        return []
    days = service.horizon_days
    return [
        Reason(
            ReasonCode.TOO_EARLY,
            _("This date cannot be booked yet."),
            _("Guests can book at most %(days)s days ahead.", days=days),
            _("Let guests book further ahead, or add the guest yourself."),
        )
    ]


def _seat_reasons(facts: SessionFacts) -> list[Reason]:
    left = facts.capacity - facts.taken
    if left >= facts.party_size:
        return []
    return [full_reason(left, is_told=is_told(left, facts.business.seats_told_up_to))]


def _series_sale_reasons(facts: SeriesFacts) -> list[Reason]:
    gone = _("This series is not on sale.")
    found: list[Reason] = []
    if facts.service.sales_mode is SalesMode.SINGLE:
        found.append(
            Reason(
                ReasonCode.NOT_SOLD_AS_SERIES,
                _("Series are not on sale; please choose a single date."),
                _("The service is sold by single sessions only."),
                _("Set the sales mode to series or both."),
            )
        )
    if not facts.published:
        code, owner = ReasonCode.SERIES_NOT_PUBLISHED, _("The series has not been published.")
        found.append(Reason(code, gone, owner, _("Publish the series.")))
    if not facts.active:
        code, owner = ReasonCode.SERIES_INACTIVE, _("The series is switched off.")
        found.append(Reason(code, gone, owner, _("Switch the series on.")))
    if facts.visibility is Visibility.HIDDEN:
        code, owner = ReasonCode.SERIES_HIDDEN, _("The series is hidden from guests.")
        found.append(Reason(code, gone, owner, _("Make the series public or unlisted.")))
    return found


def _quote_reasons(facts: SeriesFacts, quote: SeriesQuote, now: datetime) -> list[Reason]:
    if quote.closed is None:
        return []
    left = largest_party(facts.terms, facts.sessions, now)
    told = is_told(left, facts.business.seats_told_up_to)
    return [closed_reason(quote.closed, left, is_told=told)]


def _when(at: datetime, zone: ZoneInfo) -> str:
    """The wall clock of the business, with the zone's abbreviation."""
    local = at.astimezone(zone)
    shown = format_datetime(local, "EEE, d MMM y, HH:mm", locale=current_babel_locale())
    return f"{shown} {local.tzname()}"
