"""How a service is given by appointment: what there is to choose from, and what is kept free."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from src.booking.domain.free_times import Fit
from src.platform.i18n import _

STEPS = (5, 10, 15, 20, 30, 45, 60, 90, 120)
LONGEST_BUFFER_MINUTES = 8 * 60
LONGEST_MINUTES = 12 * 60
MOST_LENGTHS = 8


class SlotWish(msgspec.Struct, frozen=True, kw_only=True):
    """A time for an appointment: when, how long, and with whom; nobody: with anybody."""

    starts_at: datetime
    minutes: int
    performer_id: UUID | None = None

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)

    def is_at(self, present: "SlotWish") -> bool:
        """Whether that very time is wished, and nobody else than who gives it there."""
        same = (self.starts_at, self.minutes) == (present.starts_at, present.minutes)
        return same and self.performer_id in (None, present.performer_id)


class Length(msgspec.Struct, frozen=True):
    """One length there is to choose, and what it costs."""

    minutes: int
    price_minor: int


class AppointmentTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Starts are offered every `step_minutes`; `before_minutes` and `after_minutes` are kept free
    around each appointment. `lengths` stand beside the service's own. `meeting_url` is where those
    take place that are online.
    """

    step_minutes: int = 30
    before_minutes: int = 0
    after_minutes: int = 0
    lengths: tuple[Length, ...] = ()
    meeting_url: str = ""

    def fit(self, minutes: int) -> Fit:
        return Fit(
            timedelta(minutes=minutes),
            timedelta(minutes=self.before_minutes),
            timedelta(minutes=self.after_minutes),
            timedelta(minutes=self.step_minutes),
        )

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def appointment_terms_from(document: Mapping[str, Any]) -> AppointmentTerms:
    return msgspec.convert(document, AppointmentTerms)


def lengths_of(terms: AppointmentTerms, minutes: int, price_minor: int) -> list[Length]:
    """All lengths, the shortest first; the service's own is among them."""
    return sorted([Length(minutes, price_minor), *terms.lengths], key=lambda one: one.minutes)


def price_of_length(
    terms: AppointmentTerms, own_minutes: int, own_price_minor: int, minutes: int
) -> int | None:
    """None for a length that is not offered."""
    prices = {one.minutes: one.price_minor for one in terms.lengths} | {
        own_minutes: own_price_minor
    }
    return prices.get(minutes)


def appointment_errors(terms: AppointmentTerms, own_minutes: int) -> dict[str, str]:
    """By field, a sentence for each thing that will not do."""
    fields: dict[str, str] = {}
    if terms.step_minutes not in STEPS:
        fields["step_minutes"] = _("Please choose one of the given ones.")
    for name in ("before_minutes", "after_minutes"):
        if not 0 <= getattr(terms, name) <= LONGEST_BUFFER_MINUTES:
            fields[name] = _("Between 0 minutes and 8 hours.")
    sentence = _length_error(terms.lengths, own_minutes)
    if sentence:
        fields["lengths"] = sentence
    if terms.meeting_url and not terms.meeting_url.startswith(("https://", "http://")):
        fields["meeting_url"] = _("A link begins with https://.")
    return fields


def _length_error(lengths: Sequence[Length], own_minutes: int) -> str:
    minutes = [own_minutes, *(one.minutes for one in lengths)]
    if len(lengths) > MOST_LENGTHS:
        return _("At most %(most)s other lengths.", most=MOST_LENGTHS)
    if len(set(minutes)) != len(minutes):
        return _(
            "Each length can be there once; %(own)s minutes is the usual one.", own=own_minutes
        )
    if any(not 5 <= one <= LONGEST_MINUTES for one in minutes):
        return _("A length is between 5 minutes and 12 hours.")
    if any(one.price_minor < 0 for one in lengths):
        return _("A price cannot be below zero.")
    return ""
