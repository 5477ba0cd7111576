"""The part of an editor that sets the terms for leaving a date: as typed, as terms, and back."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from src.booking.domain.fees import FeeRule
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.leaving import BeforeUnit, LeavingTerms, Tier, terms_errors
from src.booking.domain.quiet_hours import QuietHours
from src.booking.example_words import example_in_words
from src.booking.web.amounts import amount_or_none, show_amount
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.web.formats import clock
from src.platform.web.forms import Bound, bind

USUAL_MORNING = 8
LEAST_ROWS = 3
SPARE_ROWS = 1
Digits = Annotated[str, Meta(max_length=6)]
Fee = Annotated[str, Meta(max_length=20)]
"""An amount, or a percentage with its sign; empty for none."""


class TierRow(msgspec.Struct, kw_only=True):
    """A step as it is typed; one with nothing typed is none."""

    before: Digits = ""
    unit: BeforeUnit = BeforeUnit.HOURS
    percent: Digits = ""

    @property
    def is_empty(self) -> bool:
        return not (self.before.strip() or self.percent.strip())


class LeavingFields(msgspec.Struct, kw_only=True):
    """What an editor adds to its form; `moves_before` is empty where dates are not exchanged,
    `hand_on_before` where places are not handed on, and `quiet_from` where the night counts.
    """

    tiers: list[TierRow] = msgspec.field(default_factory=list)
    may_cancel: bool = False
    moves_before: Digits = ""
    moves_unit: BeforeUnit = BeforeUnit.HOURS
    hand_on_before: Digits = ""
    hand_on_unit: BeforeUnit = BeforeUnit.HOURS
    whole_course: bool = False
    quiet_from: Digits = ""
    quiet_until: Digits = str(USUAL_MORNING)
    late_fee: Fee = ""
    no_show_fee: Fee = ""
    late_keeps_credit: bool = False


def leaving_initial(terms: LeavingTerms) -> dict[str, Any]:
    """The terms as the form shows them at first."""
    quiet = terms.quiet_hours
    return {
        "tiers": [
            {"before": tier.before, "unit": tier.unit, "percent": tier.percent}
            for tier in terms.tiers
        ],
        "may_cancel": terms.may_cancel,
        "moves_before": "" if terms.moves_before is None else terms.moves_before,
        "moves_unit": terms.moves_unit,
        "hand_on_before": "" if terms.hand_on_before is None else terms.hand_on_before,
        "hand_on_unit": terms.hand_on_unit,
        "whole_course": terms.whole_course,
        "quiet_from": "" if quiet is None else quiet.begins,
        "quiet_until": USUAL_MORNING if quiet is None else quiet.ends,
        "late_fee": _show_fee(terms.late_fee),
        "no_show_fee": _show_fee(terms.no_show_fee),
        "late_keeps_credit": terms.late_keeps_credit,
    }


def _show_fee(rule: FeeRule | None) -> str:
    if rule is None:
        return ""
    return f"{rule.percent}%" if rule.percent else show_amount(rule.amount_minor, rule.currency)


def read_terms(form: LeavingFields, currency: str) -> LeavingTerms:
    """The terms. Raises: InvalidInput at the fields of the form."""
    fields: dict[str, str] = {}
    filled = [place for place, row in enumerate(form.tiers) if not row.is_empty]
    tiers = tuple(_tier(form.tiers[place], f"tiers.{place}", fields) for place in filled)
    terms = LeavingTerms(
        tiers=tiers,
        may_cancel=form.may_cancel,
        moves_before=_optional(form.moves_before, "moves_before", fields),
        moves_unit=form.moves_unit,
        hand_on_before=_optional(form.hand_on_before, "hand_on_before", fields),
        hand_on_unit=form.hand_on_unit,
        whole_course=form.whole_course,
        quiet_hours=_quiet_hours(form, fields),
        late_fee=_fee(form.late_fee, currency, "late_fee", fields),
        no_show_fee=_fee(form.no_show_fee, currency, "no_show_fee", fields),
        late_keeps_credit=form.late_keeps_credit,
    )
    if not fields:
        wrong = terms_errors(terms)
        fields = {_form_name(name, filled): said for name, said in wrong.items()}
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)
    return terms


class Typed(msgspec.Struct, frozen=True):
    """The terms as they stand in a form, with how a date is paid; or else `unread`, the sentences
    with which saving them is refused.
    """

    terms: LeavingTerms | None = None
    price_type: SeriesPriceType = SeriesPriceType.FREE
    unread: list[str] = []

    @property
    def found(self) -> list[LeavingTerms]:
        return [] if self.terms is None else [self.terms]


def typed_terms(form: Bound[Any], currency: str) -> Typed:
    fields = bind(LeavingFields, form.raw).struct
    try:
        price_type = SeriesPriceType(form.value("price_type"))
        terms = None if fields is None else read_terms(fields, currency)
    except InvalidInput as refusal:
        return Typed(unread=list(dict.fromkeys(refusal.fields.values())))
    except ValueError:
        terms = None
    if terms is None:
        return Typed(unread=[_("The steps cannot be read as they are.")])
    return Typed(terms, price_type)


class LeavingView(msgspec.Struct, frozen=True, kw_only=True):
    """What the fields need beside the form. `sample_at` is the start that the preview is for, None
    where it is for no date; `unread` says why there is none.
    """

    rows: int
    units: list[tuple[str, str]]
    hours: list[tuple[str, str]]
    preview: list[str]
    unread: list[str]
    sample_at: datetime | None
    zone: ZoneInfo


def leaving_view(
    form: Bound[Any], typed: Typed, zone: ZoneInfo, sample_at: datetime | None
) -> LeavingView:
    """`typed` is what is in the form."""
    terms = typed.terms
    return LeavingView(
        rows=_tier_rows(form),
        units=unit_choices(),
        hours=[(str(hour), clock(time(hour))) for hour in range(24)],
        preview=[] if terms is None else example_in_words(terms, typed.price_type, sample_at, zone),
        unread=typed.unread,
        sample_at=sample_at,
        zone=zone,
    )


def _tier_rows(form: Bound[Any]) -> int:
    """All that are filled in and an empty one, however often the form was sent."""
    return max(LEAST_ROWS, form.rows_in_use("tiers", "before", "percent") + SPARE_ROWS)


def unit_choices() -> list[tuple[str, str]]:
    return [
        (BeforeUnit.HOURS.value, _("hours before")),
        (BeforeUnit.DAYS.value, _("days before")),
    ]


def _tier(row: TierRow, name: str, fields: dict[str, str]) -> Tier:
    before = _number(row.before, f"{name}.before", fields)
    percent = _number(row.percent.strip().removesuffix("%"), f"{name}.percent", fields)
    return Tier(before=before, unit=row.unit, percent=percent)


def _quiet_hours(form: LeavingFields, fields: dict[str, str]) -> QuietHours | None:
    if not form.quiet_from.strip():
        return None
    begins = _number(form.quiet_from, "quiet_from", fields)
    return QuietHours(begins=begins, ends=_number(form.quiet_until, "quiet_until", fields))


def _fee(text: str, currency: str, name: str, fields: dict[str, str]) -> FeeRule | None:
    """A number with a percent sign is one, any other an amount; 0 is none."""
    typed = text.strip()
    if typed.endswith("%"):
        percent = _number(typed.removesuffix("%"), name, fields)
        return FeeRule(percent=percent) if percent else None
    amount_minor = amount_or_none(typed, currency, name, fields)
    return FeeRule(amount_minor=amount_minor, currency=currency) if amount_minor else None


def _optional(text: str, name: str, fields: dict[str, str]) -> int | None:
    return _number(text, name, fields) if text.strip() else None


def _number(text: str, name: str, fields: dict[str, str]) -> int:
    """0 for what is no number, said in `fields`."""
    typed = text.strip()
    if typed.isascii() and typed.isdigit():
        return int(typed)
    fields[name] = _("Please give a whole number.")
    return 0


def _form_name(name: str, filled: Sequence[int]) -> str:
    head, _dot, rest = name.partition(".")
    if head == "quiet_hours":
        return "quiet_until"
    if head != "tiers" or not rest:
        return name
    position, _dot, column = rest.partition(".")
    return f"tiers.{filled[int(position)]}.{column}"
