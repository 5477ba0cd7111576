"""The form of a service: what an owner types, as a command, and back."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from src.booking.commands.services import ServiceDetails, draft_of
from src.booking.domain.appointment_terms import appointment_errors
from src.booking.domain.kinds import (
    SalesMode,
    SeriesPriceType,
    ServiceKind,
    SessionMode,
    Visibility,
)
from src.booking.domain.leaving import NOTHING_BACK, LeavingTerms, terms_from
from src.booking.domain.price_tiers import read_tiers
from src.booking.domain.questions import Question, QuestionKind
from src.booking.domain.seen import mark_of
from src.booking.domain.service_rules import service_errors, slug_for
from src.booking.models import Service
from src.booking.web.amounts import read_amount, read_percent, show_amount, show_percent
from src.booking.web.appointment_forms import (
    AppointmentFields,
    appointment_initial,
    details_by_appointment,
    read_appointment,
)
from src.booking.web.leaving_forms import leaving_initial, read_terms
from src.booking.web.meanwhile import Words, of_choices, yes_or_no
from src.booking.web.price_tier_forms import PriceRow, at_the_rows, read_prices, tiers_initial
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.web.forms import Bound

SPARE_QUESTIONS = 2
COLUMNS = {"price_minor": "price", "tax_rate_bp": "tax_percent"}
"""Where the form calls a field of the command differently."""


class QuestionRow(msgspec.Struct, kw_only=True):
    """A question as it is typed; `choices` has one answer on each line."""

    key: Annotated[str, Meta(max_length=40)] = ""
    label: Annotated[str, Meta(max_length=200)] = ""
    kind: QuestionKind = QuestionKind.TEXT
    required: bool = False
    per_person: bool = False
    choices: Annotated[str, Meta(max_length=5000)] = ""


class ServiceForm(AppointmentFields, kw_only=True):
    """A service as it is typed. `token` becomes a new one's id, `seen` marks what was shown."""

    token: UUID | None = None
    seen: Annotated[str, Meta(max_length=64)] = ""
    name: Annotated[str, Meta(max_length=120)]
    slug: Annotated[str, Meta(max_length=60)] = ""
    description: Annotated[str, Meta(max_length=10_000)] = ""
    mode: SessionMode = SessionMode.IN_PERSON
    sales_mode: SalesMode = SalesMode.SINGLE
    price_type: SeriesPriceType = SeriesPriceType.FREE
    price: Annotated[str, Meta(max_length=30)] = ""
    prices: list[PriceRow] = msgspec.field(default_factory=list)
    tax_percent: Annotated[str, Meta(max_length=10)] = ""
    duration_minutes: int = 60
    default_capacity: int = 10
    default_performer_id: UUID | None = None
    default_location_id: UUID | None = None
    default_min_seats: int | None = None
    default_decide_hours: int | None = None
    min_notice_minutes: int = 0
    horizon_days: int = 365
    max_party: int = 10
    questions: list[QuestionRow] = msgspec.field(default_factory=list)
    tags: Annotated[str, Meta(max_length=1000)] = ""
    visibility: Visibility = Visibility.PUBLIC
    active: bool = False


def initial_of(service: Service, details: ServiceDetails, currency: str) -> dict[str, Any]:
    """The service, whose `details` these are, as the form shows it at first."""
    questions = [
        {**question, "choices": "\n".join(question.get("choices", ()))}
        for question in service.questions
    ]
    values = {
        name: getattr(service, name)
        for name in ServiceForm.__struct_fields__
        if hasattr(service, name)
    }
    is_free = service.price_type == SeriesPriceType.FREE
    return {
        **values,
        **leaving_initial(terms_from(service.leaving)),
        **appointment_initial(details.appointment, details.performer_ids or (), currency),
        "seen": mark_of(details),
        "questions": questions,
        "tags": ", ".join(service.tags),
        "price": "" if is_free else show_amount(service.price_minor, currency),
        "prices": tiers_initial(read_tiers(service.price_tiers), currency),
        "tax_percent": show_percent(service.tax_rate_bp),
    }


def field_labels() -> dict[str, str]:
    """What the editor calls its fields."""
    return {
        "name": _("Name"),
        "description": _("Description"),
        "slug": _("Address"),
        "mode": _("Where"),
        "price_type": _("How guests pay"),
        "price": _("Price"),
        "tax_percent": _("Tax in the price"),
        "sales_mode": _("Sold as"),
        "visibility": _("Guests find it"),
        "active": _("On offer"),
        "duration_minutes": _("Duration"),
        "default_capacity": _("Seats"),
        "default_performer_id": _("Performer"),
        "default_location_id": _("Place"),
        "default_min_seats": _("Needs at least this many people"),
        "default_decide_hours": _("Hours before the start at which that is decided"),
        "min_notice_minutes": _("Notice before the start"),
        "horizon_days": _("Bookable ahead"),
        "max_party": _("Largest party"),
        "questions": _("Questions to guests"),
        "tags": _("Tags"),
        "performer_ids": _("Given by"),
        "lengths": _("Other lengths"),
        "step_minutes": _("Can start"),
        "before_minutes": _("Kept free before"),
        "after_minutes": _("Kept free after"),
        "meeting_url": _("Meeting link"),
    }


def saved_words(choices: Mapping[str, Any]) -> Words:
    """How saved values of the fields are said that are not words already."""
    return {
        "mode": of_choices(choices["modes"]),
        "price_type": of_choices(choices["price_types"]),
        "sales_mode": of_choices(choices["sales_modes"]),
        "visibility": of_choices(choices["visibilities"]),
        "active": yes_or_no,
        "default_performer_id": of_choices(choices["performers"]),
        "default_location_id": of_choices(choices["locations"]),
        "performer_ids": of_choices(choices["performers"]),
        "min_notice_minutes": of_choices(choices["notices"]),
    }


def details_of(form: ServiceForm, currency: str, kind: ServiceKind) -> dict[str, Any]:
    """The fields of a command for a service of that kind.

    Raises: InvalidInput for a price, rate or step that is none, with all that is wrong beside it.
    """
    fields: dict[str, str] = {}
    price_minor, tax_rate_bp = _amounts(form.price, form.tax_percent, currency, fields)
    tiers = read_prices(form.prices, currency, fields)
    leaving = NOTHING_BACK
    try:
        leaving = read_terms(form, currency)
    except InvalidInput as refused:
        fields |= refused.fields
    details = _details(form, price_minor, tax_rate_bp, leaving)
    details["price_tiers"] = tiers
    if kind is ServiceKind.APPOINTMENT:
        terms = read_appointment(form, form.price_type, currency, fields)
        details |= details_by_appointment(form, terms)
        fields = (appointment_errors(terms, form.duration_minutes) if fields else {}) | fields
    if fields:
        fields = {**_other_errors(details), **fields}
        raise InvalidInput(next(iter(fields.values())), fields=fields)
    return details


def amount_errors(bound: Bound[ServiceForm], currency: str) -> dict[str, str]:
    """What is wrong with the price and the rate of a form that could not be read as a whole."""
    fields: dict[str, str] = {}
    _amounts(bound.value("price"), bound.value("tax_percent"), currency, fields)
    return fields


def _amounts(price: str, percent: str, currency: str, fields: dict[str, str]) -> tuple[int, int]:
    """The price in minor units and the rate; what is wrong goes into `fields`."""
    price_minor = tax_rate_bp = 0
    try:
        price_minor = read_amount(price, currency, "price")
    except InvalidInput as refused:
        fields |= refused.fields
    try:
        tax_rate_bp = read_percent(percent, "tax_percent")
    except InvalidInput as refused:
        fields |= refused.fields
    return price_minor, tax_rate_bp


def _other_errors(details: dict[str, Any]) -> dict[str, str]:
    """What the rules find wrong where the amounts could not be read."""
    cmd = ServiceDetails(**details)
    found = service_errors(draft_of(cmd, cmd.slug or slug_for(cmd.name)))
    return {name: said for name, said in found.items() if name not in COLUMNS}


def _details(
    form: ServiceForm, price_minor: int, tax_rate_bp: int, leaving: LeavingTerms
) -> dict[str, Any]:
    read = {"price_minor", "price_tiers", "tax_rate_bp", "questions", "leaving", "tags"}
    same = set(ServiceDetails.__struct_fields__) - read - {"appointment", "performer_ids"}
    return {
        **{name: getattr(form, name) for name in same},
        "price_minor": price_minor,
        "tax_rate_bp": tax_rate_bp,
        "questions": _questions(form.questions),
        "leaving": leaving,
        "tags": tuple(form.tags.split(",")),
    }


def at_the_form(refused: InvalidInput, form: ServiceForm) -> InvalidInput:
    """The refusal with the form's own names of fields and rows."""
    asked = [position for position, row in enumerate(form.questions) if row.label.strip()]
    fields = {_form_name(name, asked): said for name, said in refused.fields.items()}
    return InvalidInput(refused.message, fields=at_the_rows(fields, form.prices))


def _form_name(name: str, asked: list[int]) -> str:
    head, _dot, rest = name.partition(".")
    if head == "questions" and rest:
        position, _dot, column = rest.partition(".")
        return f"questions.{asked[int(position)]}.{column}"
    return COLUMNS.get(name, name)


def _questions(rows: list[QuestionRow]) -> tuple[Question, ...]:
    """Rows without a label are those that nobody filled in."""
    seen: set[str] = set()
    questions: list[Question] = []
    for row in rows:
        if not row.label.strip():
            continue
        key = row.key if row.key and row.key not in seen else f"q{new_id().hex[-8:]}"
        seen.add(key)
        questions.append(_question(row, key))
    return tuple(questions)


def _question(row: QuestionRow, key: str) -> Question:
    lines = [line.strip() for line in row.choices.splitlines() if line.strip()]
    is_choice = row.kind is QuestionKind.CHOICE
    return Question(
        key=key,
        label=row.label,
        kind=row.kind,
        required=row.required,
        per_person=row.per_person,
        choices=tuple(lines) if is_choice else (),
    )
