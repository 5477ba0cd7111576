"""The part of a service's form that only those by appointment have, typed and read."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from src.booking.domain.appointment_terms import STEPS, AppointmentTerms, Length
from src.booking.domain.kinds import SalesMode, SeriesPriceType, ServiceKind
from src.booking.web.amounts import amount_or_none, show_amount
from src.booking.web.leaving_forms import LeavingFields
from src.platform.i18n import _
from src.platform.web.formats import minutes
from src.platform.web.forms import Bound

LEAST_ROWS = 2
SPARE_ROWS = 1
USUAL_PARTY = 1


class LengthRow(msgspec.Struct, kw_only=True):
    """Another length as it is typed; one without minutes and amount is none."""

    minutes: int | None = None
    price: Annotated[str, Meta(max_length=30)] = ""

    @property
    def is_empty(self) -> bool:
        return self.minutes is None and not self.price.strip()


class AppointmentFields(LeavingFields, kw_only=True):
    """What a form of a service asks of one by appointment. `kind` is chosen for a new one only."""

    kind: ServiceKind = ServiceKind.GROUP
    performer_ids: list[UUID] = msgspec.field(default_factory=list)
    lengths: list[LengthRow] = msgspec.field(default_factory=list)
    step_minutes: int = AppointmentTerms().step_minutes
    before_minutes: int = 0
    after_minutes: int = 0
    meeting_url: Annotated[str, Meta(max_length=500)] = ""


class LengthsView(msgspec.Struct, frozen=True, kw_only=True):
    """What the fields need beside the form."""

    rows: int
    steps: list[tuple[str, str]]


def appointment_initial(
    terms: AppointmentTerms, performer_ids: Sequence[UUID], currency: str
) -> dict[str, Any]:
    """The terms as the form shows them at first."""
    return {
        "performer_ids": list(performer_ids),
        "lengths": [
            {"minutes": one.minutes, "price": show_amount(one.price_minor, currency)}
            for one in terms.lengths
        ],
        "step_minutes": terms.step_minutes,
        "before_minutes": terms.before_minutes,
        "after_minutes": terms.after_minutes,
        "meeting_url": terms.meeting_url,
    }


def read_appointment(
    form: AppointmentFields, price_type: SeriesPriceType, currency: str, fields: dict[str, str]
) -> AppointmentTerms:
    """The terms; what is no length or amount goes into `fields`, at the form's own rows."""
    is_free = price_type is SeriesPriceType.FREE
    lengths: list[Length] = []
    for place, row in enumerate(form.lengths):
        if row.is_empty:
            continue
        at = f"lengths.{place}"
        price_minor = amount_or_none(row.price, currency, f"{at}.price", fields)
        if row.minutes is None:
            fields[f"{at}.minutes"] = _("Say how many minutes it takes.")
        if price_minor is None and not is_free:
            fields.setdefault(f"{at}.price", _("Please say what it costs; 0 is free."))
        lengths.append(Length(row.minutes or 0, 0 if is_free else price_minor or 0))
    return AppointmentTerms(
        step_minutes=form.step_minutes,
        before_minutes=form.before_minutes,
        after_minutes=form.after_minutes,
        lengths=tuple(lengths),
        meeting_url=form.meeting_url.strip(),
    )


def details_by_appointment(form: AppointmentFields, terms: AppointmentTerms) -> dict[str, Any]:
    """The fields of a command that are others than a group service's: no seats, no series."""
    return {
        "appointment": terms,
        "performer_ids": tuple(dict.fromkeys(form.performer_ids)),
        "sales_mode": SalesMode.SINGLE,
        "price_tiers": (),
        "default_performer_id": None,
        "default_min_seats": None,
        "default_decide_hours": None,
    }


def lengths_view(form: Bound[Any]) -> LengthsView:
    """All that are filled in and an empty one, and the usual steps with whatever is chosen."""
    used = form.rows_in_use("lengths", "minutes", "price")
    return LengthsView(
        rows=max(LEAST_ROWS, used + SPARE_ROWS),
        steps=[(str(one), _("every %(minutes)s", minutes=minutes(one))) for one in STEPS],
    )


def begun_as(kind: ServiceKind) -> dict[str, Any]:
    """What a new service of that kind begins with where it is not as in an empty form."""
    return {"kind": kind, "max_party": USUAL_PARTY if kind is ServiceKind.APPOINTMENT else 10}


def kind_choices() -> list[tuple[ServiceKind, str, str]]:
    return [
        (
            ServiceKind.GROUP,
            _("Group service with dates"),
            _("You publish dates, and guests book seats in them."),
        ),
        (
            ServiceKind.APPOINTMENT,
            _("By appointment"),
            _("Guests choose a time when somebody of you is free."),
        ),
    ]
