"""The price of a wish, worked out line by line, and the prices that there are to choose from."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from src.booking.domain.kinds import SessionState
from src.booking.domain.price_tiers import FULL
from src.booking.domain.quotes import Quote, QuoteLine
from src.booking.queries.wish_asked import AskedFor
from src.booking.views.guest import PriceChoice, PriceLine
from src.platform.i18n import _, ngettext


def price_lines(asked: AskedFor, quote: Quote, now: datetime) -> list[PriceLine]:
    """The price worked out: the whole term, less what is over, times how many come."""
    if quote.people:
        return [_line_of(line) for line in quote.lines()]
    lines: list[PriceLine] = []
    full_minor = asked.series.price_minor if asked.series and quote.kind == "series" else None
    if full_minor is not None and 0 < quote.unit_minor < full_minor:
        lines += [
            (_("The whole series"), full_minor, ""),
            (_("Less what you miss"), quote.unit_minor - full_minor, _missed(asked, quote, now)),
        ]
        if quote.party_size > 1:
            lines.append((_("Per person"), quote.unit_minor, ""))
    if quote.party_size > 1:
        count = ngettext("%(num)s person", "%(num)s people", quote.party_size)
        lines.append((count, quote.total_minor, ""))
    elif not lines:
        lines.append((_("One person"), quote.total_minor, ""))
    return lines


def _missed(asked: AskedFor, quote: Quote, now: datetime) -> str:
    """The dates that are paid for by nobody who joins now: those that are over, and full ones."""
    got = set(quote.session_ids)
    earliest_at = now + timedelta(minutes=asked.service.min_notice_minutes)
    missed = [
        run.starts_at < earliest_at
        for run in asked.runs
        if run.in_term and run.state == SessionState.SCHEDULED and run.id not in got
    ]
    over, full = missed.count(True), missed.count(False)
    is_over = ngettext("%(num)s date is over", "%(num)s dates are over", over) if over else ""
    is_full = ngettext("%(num)s date is full", "%(num)s dates are full", full) if full else ""
    return ", ".join(filter(None, (is_over, is_full)))


def _line_of(line: QuoteLine) -> PriceLine:
    count = ngettext("%(num)s person", "%(num)s people", line.quantity)
    return (line.tier or _("Full price"), line.unit_minor * line.quantity, count)


def price_choices(asked: AskedFor, quote: Quote, people: Sequence[str]) -> list[PriceChoice]:
    """What everybody can choose from, the full price first; nothing where there is but one."""
    tiers = asked.tiers(quote.party_size)
    if not tiers:
        return []
    full = PriceChoice(FULL, _("Full price"), quote.unit_minor, None, people.count(FULL))
    return [full] + [
        PriceChoice(tier.key, tier.name, tier.price_minor, tier.until_on, people.count(tier.key))
        for tier in tiers
    ]
