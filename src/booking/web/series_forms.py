"""The form of a series: what an owner types, as a command, and back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from src.booking.commands.series import SeriesCommand
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import GapPolicy, JoinPolicy, SeriesPriceType, Visibility
from src.booking.domain.leaving import NOTHING_BACK, BeforeUnit, terms_from
from src.booking.domain.price_tiers import read_tiers
from src.booking.models import Series
from src.booking.queries.drop_in import rules_kept
from src.booking.views.series import Rhythm
from src.booking.web.amounts import amount_or_none, show_amount
from src.booking.web.drop_in_forms import (
    Typed,
    drop_in_initial,
    drop_in_labels,
    drop_in_words,
    read_drop_in,
)
from src.booking.web.leaving_forms import LeavingFields, leaving_initial, read_terms
from src.booking.web.meanwhile import Words, of_choices, yes_or_no
from src.booking.web.price_tier_forms import PriceRow, read_prices, tiers_initial
from src.booking.web.service_words import price_type_choices, visibility_words
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.web.formats import date_medium
from src.platform.web.forms import Bound, FormData, blank


class SeriesForm(LeavingFields, kw_only=True):
    """A series as it is typed. `token` becomes the id of a new one, `seen` marks what was shown."""

    token: UUID | None = None
    seen: Annotated[str, Meta(max_length=64)] = ""
    title: Annotated[str, Meta(max_length=120)]
    description: Annotated[str, Meta(max_length=10_000)] = ""
    price_type: SeriesPriceType = SeriesPriceType.ONLINE
    price: Annotated[str, Meta(max_length=30)] = ""
    prices: list[PriceRow] = msgspec.field(default_factory=list)
    visibility: Visibility = Visibility.PUBLIC
    join_policy: JoinPolicy = JoinPolicy.BEFORE_START
    join_until_on: date | None = None
    gap_policy: GapPolicy = GapPolicy.BLOCK
    drop_in_allowed: bool = False
    drop_in_price: Typed = ""
    drop_in_opens_before: Typed = ""
    drop_in_opens_unit: BeforeUnit = BeforeUnit.DAYS
    drop_in_pays: list[PayWay] = msgspec.field(default_factory=list)
    tags: Annotated[str, Meta(max_length=1000)] = ""
    takes_credits: bool = False
    session_ids: list[UUID] = msgspec.field(default_factory=list)


def initial_of(series: Series, session_ids: Iterable[UUID], currency: str) -> dict[str, Any]:
    """The series as the form shows it at first."""
    is_free = series.price_type == SeriesPriceType.FREE
    return {
        "title": series.title,
        "description": series.description,
        "price_type": series.price_type,
        "price": "" if is_free else show_amount(series.price_minor, currency),
        "prices": tiers_initial(read_tiers(series.price_tiers), currency),
        "visibility": series.visibility,
        "join_policy": series.join_policy,
        "join_until_on": series.join_until_on,
        "gap_policy": series.gap_policy,
        "drop_in_allowed": series.drop_in_allowed,
        **drop_in_initial(rules_kept(series), currency),
        **leaving_initial(terms_from(series.leaving)),
        "tags": ", ".join(series.tags),
        "takes_credits": series.takes_credits,
        "session_ids": list(session_ids),
    }


def command_of(form: SeriesForm, currency: str) -> SeriesCommand:
    """The command. Raises: InvalidInput for an amount or a step that is none."""
    fields: dict[str, str] = {}
    price_minor = amount_or_none(form.price, currency, "price", fields)
    tiers = read_prices(form.prices, currency, fields)
    drop_in = read_drop_in(form, currency, fields)
    leaving = NOTHING_BACK
    try:
        leaving = read_terms(form, currency)
    except InvalidInput as refused:
        fields |= refused.fields
    if fields:
        if form.join_policy is JoinPolicy.UNTIL and form.join_until_on is None:
            fields["join_until_on"] = _("Please say until which day guests may join.")
        raise InvalidInput(next(iter(fields.values())), fields=fields)
    return SeriesCommand(
        title=form.title,
        description=form.description,
        price_type=form.price_type,
        price_minor=price_minor or 0,
        price_tiers=tiers,
        visibility=form.visibility,
        join_policy=form.join_policy,
        join_until_on=form.join_until_on,
        gap_policy=form.gap_policy,
        drop_in_allowed=form.drop_in_allowed,
        drop_in_minor=drop_in.price_minor,
        drop_in_opens_before=drop_in.opens_before,
        drop_in_opens_unit=drop_in.opens_unit,
        drop_in_pays=drop_in.pays,
        tags=tuple(form.tags.split(",")),
        takes_credits=form.takes_credits,
        leaving=leaving,
        session_ids=tuple(dict.fromkeys(form.session_ids)),
    )


def field_labels() -> dict[str, str]:
    """What the editor calls its fields."""
    return {
        "title": _("Title"),
        "description": _("Description"),
        "visibility": _("Where guests find it"),
        "session_ids": _("Dates of the series"),
        "price_type": _("How guests pay"),
        "price": _("Price of the course"),
        "join_policy": _("Until when guests can join"),
        "join_until_on": _("Last day to join"),
        "gap_policy": _("When one of the dates is full"),
        "drop_in_allowed": _("Sell single dates too"),
        **drop_in_labels(),
        "tags": _("Tags"),
        "takes_credits": _("Can be paid with credits"),
    }


def saved_words(starts: Mapping[UUID, datetime], zone: ZoneInfo) -> Words:
    """How saved values of the fields are said that are not words already."""
    dates = {str(session_id): date_medium(at, zone) for session_id, at in starts.items()}
    return {
        "visibility": of_choices(visibility_words().items()),
        "session_ids": of_choices(dates.items()),
        "price_type": of_choices(price_type_choices()),
        "join_policy": of_choices(join_choices()),
        "gap_policy": of_choices(gap_choices()),
        "drop_in_allowed": yes_or_no,
        "takes_credits": yes_or_no,
        **drop_in_words(),
    }


def amount_errors(bound: Bound[SeriesForm], currency: str) -> dict[str, str]:
    """What is wrong with the amounts of a form that could not be read as a whole."""
    fields: dict[str, str] = {}
    for name in ("price", "drop_in_price"):
        amount_or_none(bound.value(name), currency, name, fields)
    return fields


def with_rhythm_ticked(raw: FormData, rhythms: Sequence[Rhythm], key: str) -> Bound[SeriesForm]:
    """What was typed, with all dates of one weekday and time ticked, or unticked if all were."""
    ids = {str(choice.id) for rhythm in rhythms if rhythm.key == key for choice in rhythm.choices}
    ticked = set(raw.texts.get("session_ids", []))
    ticked = ticked - ids if ids <= ticked else ticked | ids
    return blank(SeriesForm, {**raw.texts, "session_ids": sorted(ticked)})


def join_choices() -> list[tuple[str, str, str]]:
    return [
        (
            JoinPolicy.BEFORE_START.value,
            _("Until the first date begins"),
            _("Everybody starts together."),
        ),
        (
            JoinPolicy.ANY_TIME.value,
            _("At any time"),
            _("Latecomers pay for the dates that are left."),
        ),
        (JoinPolicy.UNTIL.value, _("Until a day of your choice"), _("The price falls as well.")),
    ]


def gap_choices() -> list[tuple[str, str, str]]:
    return [
        (
            GapPolicy.BLOCK.value,
            _("The series is sold out"),
            _("Nobody buys a course with a date missing."),
        ),
        (
            GapPolicy.SELL_WITH_GAPS.value,
            _("Sell it without the full dates"),
            _("Guests see which dates are missing and do not pay for them."),
        ),
    ]
