"""What a guest fills in to book, and what is made of it."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from src.billing.domain.cards import card_of_way
from src.booking.commands.book import BookCommand
from src.booking.commands.book_checks import way_not_open
from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.drop_in import PayWay
from src.booking.domain.naming import LONGEST_NAME, LONGEST_NOTE
from src.booking.domain.price_tiers import booker_first
from src.booking.domain.questions import answer_errors, people_errors
from src.booking.queries.wish import Typed
from src.booking.queries.wish_credits import Purse, lot_of_way
from src.booking.views.guest import Wish
from src.booking.web.agreed import LONGEST_AGREED, agreement_errors
from src.platform.i18n import _, current_locale
from src.platform.web.forms import Bound, Email, FormData
from src.tenants.context import TenantSnapshot
from src.tenants.domain.naming import on_one_line
from src.tenants.domain.parties import named_twice
from src.tenants.domain.phones import dialled_phone, not_a_phone
from src.tenants.views.portal import PortalGuest

LARGEST_PARTY = 100
LONGEST_CODE = 100
"""Of what is typed: longer than a code, so that who types two reads that one goes at a time."""
LONGEST_WAY = 60
LARGEST_TOTAL_MINOR = 10**12
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,60}", re.ASCII)


class Agreed(Protocol):
    """The boxes of every form that books or buys."""

    terms: bool
    marketing: bool


class BookingForm(msgspec.Struct, kw_only=True):
    """Who comes and how it is agreed. `first` is who comes in the guest's own place, where that is
    one of the people they keep; `names.2` is the second of the party, and so on, and
    `people.2.<key>` what they answer; `counts` say how many come at which price, where there are
    several. `keep_card`: the card that they pay with online is to be kept. `agreed` are the
    versions of agreements that were shown, and `signature` the name under them.

    `quoted_minor` is the total that was shown, with `quoted_off_minor` taken off by a code, for a
    party of `quoted_size`, and `quoted_dates` stands for the dates that were. `offered`: there were
    credits to choose among the ways to pay.
    """

    name: Annotated[str, Meta(max_length=LONGEST_NAME)]
    first: Annotated[str, Meta(max_length=LONGEST_NAME)] = ""
    email: Email
    phone: Annotated[str, Meta(max_length=40)] = ""
    size: Annotated[int, Meta(ge=1, le=LARGEST_PARTY)] = 1
    counts: dict[str, Annotated[int, Meta(ge=0, le=LARGEST_PARTY)]] = msgspec.field(
        default_factory=dict
    )
    names: dict[str, Annotated[str, Meta(max_length=LONGEST_NAME)]] = msgspec.field(
        default_factory=dict
    )
    answers: dict[str, Annotated[str, Meta(max_length=2000)]] = msgspec.field(default_factory=dict)
    people: dict[str, Annotated[str, Meta(max_length=2000)]] = msgspec.field(default_factory=dict)
    note: Annotated[str, Meta(max_length=LONGEST_NOTE)] = ""
    coupon: Annotated[str, Meta(max_length=LONGEST_CODE)] = ""
    way: Annotated[str, Meta(max_length=LONGEST_WAY)] = ""
    keep_card: bool = False
    terms: bool = False
    marketing: bool = False
    agree: bool = False
    agreed: Annotated[str, Meta(max_length=LONGEST_AGREED)] = ""
    signature: Annotated[str, Meta(max_length=LONGEST_NAME)] = ""
    quoted_minor: Annotated[int, Meta(ge=0, le=LARGEST_TOTAL_MINOR)] | None = None
    quoted_off_minor: Annotated[int, Meta(ge=0, le=LARGEST_TOTAL_MINOR)] | None = None
    quoted_size: Annotated[int, Meta(ge=1, le=LARGEST_PARTY)] | None = None
    quoted_dates: Annotated[str, Meta(max_length=40)] | None = None
    offered: bool = False

    def party(self) -> tuple[str, ...]:
        """A name, perhaps empty, for everyone who comes; the first is the guest's own, unless
        somebody comes in their place.
        """
        others = (self.names.get(str(place), "") for place in range(2, self.size_of_party + 1))
        return (self.first or self.name, *others)

    @property
    def size_of_party(self) -> int:
        return sum(self.counts.values()) if self.counts else self.size

    def tiers(self) -> tuple[str, ...]:
        """The key of everyone's price, in the order of the form."""
        return tuple(key for key, count in self.counts.items() for _one in range(count))


def new_form_token() -> str:
    """Not to be guessed: whoever has it is led to the booking that it made."""
    return secrets.token_urlsafe(24)


def token_of(data: FormData) -> str:
    """The form's token as it came, or a new one for a form that has none of ours."""
    sent = data.texts.get("form_token", [""])[-1]
    return sent if _TOKEN.fullmatch(sent) else new_form_token()


def typed_of(data: FormData) -> Typed:
    """What has been chosen so far, as far as it makes sense."""
    start, tiers = "counts.", []
    for name, texts in data.texts.items():
        if name.startswith(start) and texts:
            tiers += [name.removeprefix(start)] * _number(texts[-1], 0)
    tiers = tiers[:LARGEST_PARTY]
    size = len(tiers) if tiers else size_of(data, LARGEST_PARTY)
    chosen = data.texts.get("way", [""])[-1]
    purse = Purse(lot_id=lot_of_way(chosen))
    return Typed(
        size=size,
        tiers=tuple(tiers),
        code=code_of(data),
        quoted_minor=_quoted_minor(data),
        way=way_of(chosen),
        purse=purse,
        knew_no_credits=_text(data, "step") == "update" and not _text(data, "offered"),
        owner=_text(data, "name"),
        names=(
            _text(data, "first") or _text(data, "name"),
            *(_text(data, f"names.{place}") for place in range(2, size + 1)),
        ),
    )


def _text(data: FormData, name: str) -> str:
    return data.texts.get(name, [""])[-1]


def nobody_comes(data: FormData) -> str | None:
    """The sentence for who has chosen that nobody comes at any price."""
    counts = [texts[-1] for name, texts in data.texts.items() if name.startswith("counts.")]
    return who_comes() if counts and not any(_number(count, 1) for count in counts) else None


def who_comes() -> str:
    return _("Please say how many people come.")


def _number(typed: str, otherwise: int) -> int:
    typed = typed.strip()
    is_number = typed.isascii() and typed.isdigit() and len(typed) < 5
    return min(int(typed), LARGEST_PARTY + 1) if is_number else otherwise


def size_of(data: FormData, most: int) -> int:
    """The size of the party as typed, within what can be chosen."""
    return min(max(_number(data.texts.get("size", ["1"])[-1], 1), 1), most)


def code_of(data: FormData) -> str:
    """The code of a coupon as typed; one that is too long is none."""
    typed = data.texts.get("coupon", [""])[-1].strip()
    return typed if len(typed) <= LONGEST_CODE else ""


def way_of(typed: str) -> PayWay | None:
    """The chosen way to pay; None for what is none. A card that is kept pays online."""
    if card_of_way(typed) is not None:
        return PayWay.ONLINE
    return PayWay(typed) if typed in set(PayWay) else None


def checked(bound: Bound[BookingForm], wish: Wish, tenant: TenantSnapshot) -> Bound[BookingForm]:
    """The form with what only the business and the offer can find wrong in it."""
    errors: dict[str, str] = {}
    form = bound.struct
    answers = form.answers if form is not None else _typed(bound, "answers.")
    errors |= answer_errors(wish.questions, answers)
    people = people_answers(form.people if form is not None else _typed(bound, "people."))
    errors |= people_errors(wish.questions, people, wish.size)
    if form is not None:
        errors |= _name_errors(form)
    phone = form.phone if form is not None else bound.value("phone")
    if phone and "phone" not in bound.errors and dialled_phone(phone, tenant.country) is None:
        errors["phone"] = not_a_phone()
    if tenant.booking_terms and not bound.checked("terms"):
        errors["terms"] = _("Please accept the terms to book.")
    errors |= agreement_errors(bound, wish.agreements)
    if wish.code_error and "coupon" not in bound.errors:
        errors["coupon"] = wish.code_error
    if way_error := _why_not_that_way(bound.value("way"), wish):
        errors["way"] = way_error
    if form is not None and form.size_of_party == 0:
        errors["size"] = who_comes()
    elif form is not None and form.size_of_party > LARGEST_PARTY:
        errors["size"] = _("At most %(limit)s people can be booked at once.", limit=LARGEST_PARTY)
    elif wish.size_error:
        errors["size"] = wish.size_error
    elif form is not None and form.quoted_size not in (None, form.size_of_party):
        errors["size"] = _(
            "The number of people has changed, and the price with it. Please check both."
        )
    return bound.with_errors(errors) if errors else bound


def _name_errors(form: BookingForm) -> dict[str, str]:
    twice = named_twice(form.party())
    errors = {f"names.{number}": sentence for number, sentence in twice.items()}
    return errors if on_one_line(form.name) else errors | {"name": _("Please give a name.")}


def _why_not_that_way(chosen: str, wish: Wish) -> str | None:
    """The sentence for who wants to pay in a way that is not open, or with credits that may not."""
    if wish.credits.error:
        return wish.credits.error
    if card_of_way(chosen) is not None:
        chosen = PayWay.ONLINE
    is_other = bool(wish.ways) and lot_of_way(chosen) is None and chosen not in ("", *wish.ways)
    return way_not_open() if is_other else None


def people_answers(typed: Mapping[str, str]) -> tuple[dict[str, str], ...]:
    """What everyone of the party answered, from fields named `<number>.<key>`; others are none."""
    found: dict[int, dict[str, str]] = {}
    for name, answer in typed.items():
        number, _dot, key = name.partition(".")
        if key and 1 <= _number(number, 0) <= LARGEST_PARTY:
            found.setdefault(_number(number, 0), {})[key] = answer
    return tuple(found.get(number, {}) for number in range(1, max(found, default=0) + 1))


def _typed(bound: Bound[BookingForm], start: str) -> dict[str, str]:
    """The fields whose names begin so, of a form that could not be read as a whole."""
    return {
        name.removeprefix(start): texts[-1]
        for name, texts in bound.raw.items()
        if name.startswith(start)
    }


def command_of(
    form: BookingForm,
    wish: Wish,
    subject_id: UUID,
    token: str,
    tenant: TenantSnapshot,
    now: datetime,
    guest: PortalGuest | None = None,
) -> BookCommand:
    """With credits it is the signed-in `guest` who books, and no code nor price counts."""
    command = _command(form, wish, subject_id, token, tenant, now)
    lot_id = lot_of_way(form.way)
    if lot_id is None and not form.way and wish.credits.paying is not None:
        lot_id = lot_of_way(wish.credits.paying.key)
    if lot_id is None:
        return command
    return msgspec.structs.replace(
        command,
        way=PayWay.CREDIT,
        credit_lot_id=lot_id,
        customer_id=guest.customer_id if guest is not None else None,
        coupon="",
        quoted_minor=None,
    )


def _quoted_minor(data: FormData) -> int | None:
    """What the form showed that is to pay; None for what no form of ours would say."""
    said = _text(data, "quoted_minor")
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 12 else None


def at_slot(command: BookCommand, wish: Wish, slot: SlotWish) -> BookCommand:
    """The same for an appointment: its date is the one that was asked for, and cannot change."""
    return msgspec.structs.replace(
        command, subject_id=wish.service_id, slot=slot, quoted_dates=None
    )


def _command(
    form: BookingForm,
    wish: Wish,
    subject_id: UUID,
    token: str,
    tenant: TenantSnapshot,
    now: datetime,
) -> BookCommand:
    return BookCommand(
        kind=wish.kind,
        subject_id=subject_id,
        party=form.party(),
        tiers=booker_first(form.tiers(), {one.key: one.unit_minor for one in wish.prices}),
        guest_name=form.name,
        guest_email=form.email,
        guest_phone=dialled_phone(form.phone, tenant.country) or "",
        form_token=token,
        answers=_answers(form.answers, wish, per_person=False),
        people=tuple(
            _answers(one, wish, per_person=True)
            for one in people_answers(form.people)[: form.size_of_party]
        ),
        note=form.note,
        coupon=form.coupon,
        way=way if (way := way_of(form.way)) in wish.ways else None,
        consents=consents_of(form, tenant, now),
        quoted_minor=form.quoted_minor,
        quoted_off_minor=form.quoted_off_minor,
        quoted_dates=form.quoted_dates,
        source="hub",
        locale=current_locale(),
    )


def _answers(given: Mapping[str, str], wish: Wish, *, per_person: bool) -> dict[str, str]:
    """What was answered of what is asked now."""
    asked = {question.key for question in wish.questions if question.per_person == per_person}
    return {key: answer for key, answer in given.items() if answer and key in asked}


def consents_of(form: Agreed, tenant: TenantSnapshot, now: datetime) -> dict[str, Any]:
    """What was agreed to and when; the terms by the hash of the text that was shown."""
    consents: dict[str, Any] = {}
    at = now.isoformat()
    if tenant.booking_terms and form.terms:
        digest = hashlib.sha256(tenant.booking_terms.encode()).hexdigest()
        consents["terms"] = {"sha256": digest, "accepted_at": at}
    if form.marketing:
        consents["marketing"] = {"accepted_at": at}
    return consents
