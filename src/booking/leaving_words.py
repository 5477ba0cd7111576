"""The terms for leaving a date as people read them: in plain words, and as dates on their clock."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from src.booking.domain.drop_in import PayWay
from src.booking.domain.fees import FeeRule
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.leaving import (
    BeforeUnit,
    LeavingTerms,
    Tier,
    deadlines,
    hand_on_until,
    moves_until,
)
from src.booking.domain.refund_policy import Gives
from src.booking.gives_words import gives_words
from src.booking.late_fee_words import late_fee, late_fee_now
from src.booking.nothing_back_words import (
    no_credit_back,
    no_money_back,
    not_by_yourself,
    nothing_back,
    nothing_paid_back,
    price_stays_due,
)
from src.booking.paying import Paying
from src.platform.i18n import _, ngettext
from src.platform.web.formats import clock, datetime_local, money


def rules_in_words(
    terms: LeavingTerms,
    price_type: Paying,
    zone: ZoneInfo,
    example_at: datetime | None = None,
    now: datetime | None = None,
    *,
    seats: int = 1,
) -> list[str]:
    """The terms of an offer with several dates, one sentence each.

    They count from the start of each date. With an example, the first step that can still be met at
    `now` is also said as a moment, for the date that starts at `example_at`. So many `seats` on
    each date are spoken of.
    """
    counted = _giving(terms)
    if not terms.may_cancel:
        said, counted = [not_by_yourself()], []
    elif terms.gives is Gives.CREDIT:
        said = [*_step_rules(terms, example_at, zone, now, seats), *_rest(terms)]
    elif price_type is SeriesPriceType.FREE:
        said, counted = [_("You can cancel a date until it starts.")], []
    elif terms.gives is Gives.NOTHING and price_type is SeriesPriceType.ON_SITE:
        said = [_owed_rule(terms), nothing_paid_back()]
    elif terms.gives is Gives.NOTHING:
        said, counted = [nothing_back()], []
    elif terms.gives is Gives.PACKAGE:
        steps = _step_rules(terms, example_at, zone, now)
        said = [*steps, *_unpaid(price_type), *_rest(terms)]
    elif price_type is SeriesPriceType.ON_SITE:
        last = len(_giving(terms)) - 1
        said = [_owed_rule(terms), *_example(terms, example_at, zone, last, now)]
    else:
        said = [*_step_rules(terms, example_at, zone, now), *_rest(terms)]
    # Late is said of cancelling, so it stands before the deadlines of anything else.
    said += _fee_rules(terms, price_type) + _moves_rule(terms) + _hand_on_rule(terms)
    return said + _quiet_rules(terms, counted) + _course_rule(terms)


def dates_in_words(
    terms: LeavingTerms,
    price_type: Paying,
    starts_at: datetime,
    zone: ZoneInfo,
    now: datetime | None = None,
    *,
    seats: int = 1,
) -> list[str]:
    """The terms of one date as moments, one sentence each; of those that are over at `now`, nothing
    is said any more. So many `seats` are spoken of.
    """
    if not terms.may_cancel:
        said = [not_by_yourself()]
    elif terms.gives in (Gives.CREDIT, Gives.PACKAGE) and not _costs_nothing(terms, price_type):
        steps = _steps_until(terms, starts_at, zone, now, seats)
        unpaid = _unpaid(price_type) if terms.gives is Gives.PACKAGE else []
        said = [*steps, *unpaid, *_rest(terms)] if steps else _all_over(terms, price_type)
    elif price_type is SeriesPriceType.FREE:
        said = [_("You can cancel until it starts.")]
    elif terms.gives is Gives.NOTHING:
        is_owed = price_type is SeriesPriceType.ON_SITE
        owed = [_owed_until(terms, starts_at, zone, now), nothing_paid_back()]
        said = owed if is_owed else [nothing_back()]
    elif price_type is SeriesPriceType.ON_SITE:
        said = [_owed_until(terms, starts_at, zone, now)]
    else:
        steps = _steps_until(terms, starts_at, zone, now)
        said = [*steps, *_rest(terms)] if steps else [no_money_back()]
    due = deadlines(terms, starts_at, zone)
    is_over = bool(due) and _is_over(due[-1].until_at, now)
    said += _fee_rules(terms, price_type, is_over=is_over)
    until_at = moves_until(terms, starts_at, zone)
    if until_at is not None and not _is_over(until_at, now):
        when = datetime_local(until_at, zone)
        said.append(_("You can exchange it for another date until %(when)s.", when=when))
    until_at = hand_on_until(terms, starts_at, zone)
    if until_at is not None and not _is_over(until_at, now):
        when = datetime_local(until_at, zone)
        said.append(_("You can give your place to somebody else until %(when)s.", when=when))
    return said


def by_way_in_words(by_card: list[str], on_site: list[str]) -> list[str]:
    """The terms of one date that can be paid either way; what differs says which way it is for."""
    return [
        *(_("Paid by card: %(rule)s", rule=rule) for rule in by_card if rule not in on_site),
        *(_("Paid on site: %(rule)s", rule=rule) for rule in on_site if rule not in by_card),
        *(rule for rule in by_card if rule in on_site),
    ]


def next_deadline_words(
    terms: LeavingTerms,
    price_type: Paying,
    starts_at: datetime,
    zone: ZoneInfo,
    now: datetime,
    seats: int = 1,
) -> str:
    """The step that counts now for so many `seats`, as a moment; empty where none does any more."""
    if _costs_nothing(terms, price_type) or not terms.may_cancel:
        return ""
    coming = [due for due in deadlines(terms, starts_at, zone) if now <= due.until_at]
    is_silent = terms.gives is Gives.NOTHING and price_type is not SeriesPriceType.ON_SITE
    if not coming or is_silent:
        return ""
    if price_type is SeriesPriceType.ON_SITE and terms.gives is not Gives.PACKAGE:
        when = datetime_local(coming[-1].until_at, zone)
        return _("Free of charge until %(when)s", when=when)
    is_whole = terms.gives in (Gives.CREDIT, Gives.PACKAGE)
    when = datetime_local(coming[-1 if is_whole else 0].until_at, zone)
    back = gives_words(terms, coming[0].percent, seats)
    if price_type is SeriesPriceType.ON_SITE:
        return _("Until %(when)s: free of charge; once it is paid, %(back)s", when=when, back=back)
    return _("Until %(when)s: %(back)s", when=when, back=back)


def _costs_nothing(terms: LeavingTerms, price_type: Paying) -> bool:
    return price_type is SeriesPriceType.FREE and terms.gives is not Gives.CREDIT


def _all_over(terms: LeavingTerms, price_type: Paying) -> list[str]:
    """Of a credit, once no step lies ahead; that it comes back late, too, is said by itself. Who
    paid money has none that could come back.
    """
    if terms.gives is Gives.PACKAGE:
        return [price_stays_due() if price_type is SeriesPriceType.ON_SITE else nothing_back()]
    return [] if terms.late_keeps_credit else [no_credit_back()]


def _unpaid(price_type: Paying) -> list[str]:
    """A credit is given for what is paid."""
    if price_type is not SeriesPriceType.ON_SITE:
        return []
    return [_("What you have not paid by then costs you nothing, and brings no credit.")]


def _step(terms: LeavingTerms, tier: Tier, seats: int) -> str:
    back = gives_words(terms, tier.percent, seats)
    if not tier.before:
        return _("Cancel until a date starts: %(back)s.", back=back)
    before = _before(tier.before, tier.unit)
    return _("Cancel up to %(before)s before a date: %(back)s.", before=before, back=back)


def _step_rules(
    terms: LeavingTerms,
    example_at: datetime | None,
    zone: ZoneInfo,
    now: datetime | None,
    seats: int = 1,
) -> list[str]:
    """The steps, with the example behind the one it is for."""
    if terms.gives is Gives.CREDIT and not terms.tiers:
        return [_("Cancel until a date starts: %(back)s.", back=gives_words(terms, 100, seats))]
    said = [_step(terms, tier, seats) for tier in _told(terms)]
    examples = [_example(terms, example_at, zone, place, now) for place in range(len(said))]
    first = next((place for place, example in enumerate(examples) if example), None)
    if first is not None:
        said[first + 1 : first + 1] = examples[first]
    return said


def _before(count: int, unit: BeforeUnit) -> str:
    if unit is BeforeUnit.DAYS:
        return ngettext("%(num)s day", "%(num)s days", count)
    return ngettext("%(num)s hour", "%(num)s hours", count)


def _rest(terms: LeavingTerms) -> list[str]:
    """What holds after the last step; nothing, where that one ends with the start, or where the
    credit comes back late, too.
    """
    steps = _told(terms)
    if terms.gives is Gives.CREDIT and terms.late_keeps_credit:
        return []
    if not steps and terms.gives is Gives.CREDIT:
        return [] if not terms.tiers else [no_credit_back()]
    if not steps:
        return [no_money_back()]
    if not steps[-1].before:
        return []
    return [_("Later than that you can still cancel, but nothing comes back.")]


def _giving(terms: LeavingTerms) -> list[Tier]:
    """Those that `deadlines` has a moment for; the last is also the last at which nothing is owed
    on site.
    """
    return [tier for tier in terms.tiers if tier.percent > 0]


def _told(terms: LeavingTerms) -> list[Tier]:
    """The steps that are said: of a whole credit only the last that gives it."""
    steps = _giving(terms)
    return steps[-1:] if terms.gives in (Gives.CREDIT, Gives.PACKAGE) else steps


def _is_over(until_at: datetime, now: datetime | None) -> bool:
    return now is not None and until_at < now


def _owed_rule(terms: LeavingTerms) -> str:
    steps = _giving(terms)
    if not steps and terms.tiers:
        return _("You can cancel a date until it starts, but its price stays due.")
    if not steps or not steps[-1].before:
        return _("You can cancel a date free of charge until it starts.")
    return _(
        "Cancel a date free of charge up to %(before)s before it; later its price stays due.",
        before=_before(steps[-1].before, steps[-1].unit),
    )


def _owed_until(
    terms: LeavingTerms, starts_at: datetime, zone: ZoneInfo, now: datetime | None
) -> str:
    due = deadlines(terms, starts_at, zone)
    if terms.tiers and (not due or _is_over(due[-1].until_at, now)):
        return price_stays_due()
    if not due or due[-1].until_at >= starts_at:
        return _("You can cancel free of charge until it starts.")
    when = datetime_local(due[-1].until_at, zone)
    return _("Cancel free of charge until %(when)s; later the price stays due.", when=when)


def _steps_until(
    terms: LeavingTerms,
    starts_at: datetime,
    zone: ZoneInfo,
    now: datetime | None,
    seats: int = 1,
) -> list[str]:
    said = []
    if terms.gives is Gives.CREDIT and not terms.tiers:
        return [_("Cancel until it starts: %(back)s.", back=gives_words(terms, 100, seats))]
    due_steps = deadlines(terms, starts_at, zone)
    if terms.gives in (Gives.CREDIT, Gives.PACKAGE):
        due_steps = due_steps[-1:]
    for due in due_steps:
        back = gives_words(terms, due.percent, seats)
        if due.until_at >= starts_at:
            said.append(_("Cancel until it starts: %(back)s.", back=back))
        elif not _is_over(due.until_at, now):
            when = datetime_local(due.until_at, zone)
            said.append(_("Cancel until %(when)s: %(back)s.", when=when, back=back))
    return said


def _example(
    terms: LeavingTerms,
    example_at: datetime | None,
    zone: ZoneInfo,
    position: int,
    now: datetime | None,
) -> list[str]:
    """The step at that position as a moment, while it lies ahead and is not the start itself."""
    due = [] if example_at is None else deadlines(terms, example_at, zone)
    if not due or example_at is None:
        return []
    if terms.gives in (Gives.CREDIT, Gives.PACKAGE):
        position = len(due) - 1
    until_at = due[position].until_at
    if _is_over(until_at, now) or until_at >= example_at:
        return []
    date, until = datetime_local(example_at, zone), datetime_local(until_at, zone)
    return [_("So for %(date)s that is until %(until)s.", date=date, until=until)]


def _moves_rule(terms: LeavingTerms) -> list[str]:
    if terms.moves_before is None:
        return []
    if not terms.moves_before:
        return [_("You can exchange a date for one that costs no more, until it starts.")]
    before = _before(terms.moves_before, terms.moves_unit)
    return [_("You can exchange a date for one that costs no more, up to %(h)s before.", h=before)]


def _hand_on_rule(terms: LeavingTerms) -> list[str]:
    if terms.hand_on_before is None:
        return []
    if not terms.hand_on_before:
        return [_("You can give your place on a date to somebody else until it starts.")]
    before = _before(terms.hand_on_before, terms.hand_on_unit)
    return [
        _(
            "You can give your place on a date to somebody else up to %(before)s before.",
            before=before,
        )
    ]


def _fee_rules(terms: LeavingTerms, price_type: Paying, *, is_over: bool = False) -> list[str]:
    """What is asked of who leaves late, or does not come; nothing where nothing is to be paid. A
    credit has no price, so of who pays with one no part of it is asked. `is_over`: late is now.
    """
    if _costs_nothing(terms, price_type):
        return []
    said = []
    by_credit = terms.gives is Gives.CREDIT or price_type is PayWay.CREDIT
    for_late, for_no_show = (
        None if rule is not None and rule.percent and by_credit else rule
        for rule in (terms.late_fee, terms.no_show_fee)
    )
    if for_late is not None and terms.tiers and terms.may_cancel:
        steps, is_owed = _giving(terms), price_type is SeriesPriceType.ON_SITE
        before = _before(steps[-1].before, steps[-1].unit) if steps and steps[-1].before else ""
        fee = fee_words(for_late)
        if is_over:
            said.append(late_fee_now(fee, is_owed=is_owed and terms.gives is not Gives.PACKAGE))
        else:
            said.append(late_fee(fee, terms.gives, before, has_steps=bool(steps), is_owed=is_owed))
    if for_no_show is not None:
        fee = fee_words(for_no_show)
        said.append(
            _("Who does not come and has not cancelled is asked for a fee of %(fee)s.", fee=fee)
        )
    if terms.late_keeps_credit and terms.gives is not Gives.NOTHING:
        said.append(_("A credit comes back even if you cancel late."))
    return said


def fee_words(rule: FeeRule) -> str:
    """How much it is, in words."""
    if rule.percent:
        return _("%(percent)s%% of the price", percent=rule.percent)
    return money(rule.amount_minor, rule.currency)


def _quiet_rules(terms: LeavingTerms, counted: list[Tier]) -> list[str]:
    """What quiet hours mean for the steps that were named, and for exchanging."""
    quiet = terms.quiet_hours
    if quiet is None:
        return []
    units = {tier.unit for tier in counted if tier.before}
    if terms.moves_before:
        units.add(terms.moves_unit)
    if terms.hand_on_before:
        units.add(terms.hand_on_unit)
    begins, ends = clock(time(quiet.begins)), clock(time(quiet.ends))
    said = []
    if BeforeUnit.HOURS in units:
        said.append(
            _("Hours between %(begins)s and %(ends)s are not counted.", begins=begins, ends=ends)
        )
    if BeforeUnit.DAYS in units:
        said.append(
            _(
                "A deadline between %(begins)s and %(ends)s moves to the %(begins)s before it.",
                begins=begins,
                ends=ends,
            )
        )
    return said


def _course_rule(terms: LeavingTerms) -> list[str]:
    return [_("You can leave the whole course by yourself.")] if terms.whole_course else []
