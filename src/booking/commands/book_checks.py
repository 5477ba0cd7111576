"""What of a wish is refused at a field, and the lines that an order has of a quote."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from src.billing.commands.orders import NewLine
from src.billing.domain.credits import LotFacts
from src.booking.domain.drop_in import PayWay
from src.booking.domain.questions import (
    answer_errors,
    given_answers,
    people_errors,
    read_questions,
)
from src.booking.domain.quotes import Quote
from src.booking.domain.reasons import Reason, ReasonCode
from src.booking.domain.staff_rules import StaffPays
from src.booking.errors import DatesChanged, NotBookable, PriceChanged
from src.booking.models import Service
from src.booking.queries.by_credit import get_own_lot
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput, NotAllowed, NotFound
from src.platform.i18n import _, use_locale
from src.platform.money import Money, format_money
from src.platform.web.formats import datetime_local
from src.tenants.commands.customers import keep_customer
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role, reaches
from src.tenants.errors import EstablishedOnly
from src.tenants.gates import lacks_feature
from src.tenants.role_words import needs_role

HIDDEN = frozenset({ReasonCode.SERVICE_HIDDEN, ReasonCode.SERIES_HIDDEN})
PLAN_REASONS = {
    ReasonCode.PLAN_LACKS_GROUPS: Feature.GROUP_SERVICES,
    ReasonCode.PLAN_LACKS_SERIES: Feature.SERIES,
}


def check_answers(
    service: Service, answers: Mapping[str, str], people: Sequence[Mapping[str, str]], size: int
) -> None:
    """Raises: InvalidInput at `answers.<key>` and `people.<number>.<key>`."""
    questions = read_questions(service.questions)
    fields = answer_errors(questions, answers) | people_errors(questions, people, size)
    once = {question.key for question in questions if not question.per_person}
    each = {question.key for question in questions if question.per_person}
    for key in answers.keys() - once:
        fields[f"answers.{key}"] = _("This is not asked any more.")
    for number, given in enumerate(people, start=1):
        for key in given.keys() - each if number <= size else given.keys():
            fields[f"people.{number}.{key}"] = _("This is not asked any more.")
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)


def answer_columns(
    service: Service,
    answers: Mapping[str, str],
    people: Sequence[Mapping[str, str]],
    participant_ids: Sequence[UUID],
) -> dict[str, Any]:
    """The columns of a booking that keep what was answered, each with its question."""
    questions = read_questions(service.questions)
    by_person = {
        str(participant_id): given
        for participant_id, said in zip(participant_ids, people, strict=False)
        if (given := given_answers(questions, said, per_person=True))
    }
    return {
        "answers": given_answers(questions, answers, per_person=False),
        "person_answers": by_person,
    }


def check_dates(quoted_dates: str | None, quote: Quote) -> None:
    """Nobody buys a date that was moved while they filled in the form. Raises: DatesChanged."""
    if quoted_dates not in (None, quote.dates_key):
        raise DatesChanged(
            _("The dates have just changed. Please look at them again before you book.")
        )


def check_price(
    tenant: TenantSnapshot,
    quoted_minor: int | None,
    locale: str,
    quote: Quote,
    quoted_off_minor: int | None = None,
) -> None:
    """What a code takes off, too, is as it was shown: a voucher that pays all would hide that the
    price has changed. Raises: PriceChanged.
    """
    to_pay_minor = quote.to_pay_minor
    if quoted_minor is None:
        return
    if quoted_minor == to_pay_minor:
        _check_off(tenant, quoted_off_minor, locale, quote)
        return
    price = format_money(Money(to_pay_minor, tenant.currency), locale)
    raise PriceChanged(
        _("The price has changed to %(price)s. Please look again before you book.", price=price),
        total_minor=to_pay_minor,
    )


def _check_off(
    tenant: TenantSnapshot, quoted_off_minor: int | None, locale: str, quote: Quote
) -> None:
    off_minor = quote.full_minor - quote.to_pay_minor
    if quoted_off_minor in (None, off_minor):
        return
    off = format_money(Money(off_minor, tenant.currency), locale)
    raise PriceChanged(
        _("The code takes %(off)s off now. Please look again before you book.", off=off),
        total_minor=quote.to_pay_minor,
    )


def check_way(quote: Quote, way: PayWay | None) -> None:
    """The wanted way to pay has to be the one that is quoted, unless nothing is to be paid.

    Raises: InvalidInput at `way`.
    """
    if way is None or quote.full_minor == 0 or way.value == quote.way:
        return
    sentence = no_transfer() if way is PayWay.TRANSFER else way_not_open()
    raise InvalidInput(sentence, fields={"way": sentence})


def check_code(quote: Quote, code: str, pays: StaffPays | None) -> None:
    """A code is for money, so there has to be some to pay. Raises: InvalidInput at `coupon`."""
    if not code.strip():
        return
    sentence = ""
    if quote.credits is not None:
        sentence = _("A coupon or a voucher is for money, so it cannot be used with credits.")
    elif pays == "free":
        sentence = _("A code is for what is to be paid, so it cannot be used where it is free.")
    if sentence:
        raise InvalidInput(sentence, fields={"coupon": sentence})


def check_tiers(sentence: str | None) -> None:
    """Raises: InvalidInput at `tiers`."""
    if sentence is not None:
        raise InvalidInput(sentence, fields={"tiers": sentence})


def lines_of(quote: Quote, tenant: TenantSnapshot, starts_at: datetime) -> tuple[NewLine, ...]:
    """One line for those who pay the same. A single date is told apart from the others of its
    service by when it is, as the business writes it.
    """
    description = quote.description
    if quote.kind == "session":
        with use_locale(tenant.locale):
            description = f"{description} · {datetime_local(starts_at, tenant.zone)}"
    return tuple(
        NewLine(
            kind=quote.kind,
            subject_id=quote.subject_id,
            description=description,
            unit_minor=line.unit_minor,
            quantity=line.quantity,
            tier=line.tier,
            discount_minor=line.discount_minor,
            tax_rate_bp=quote.tax_rate_bp,
        )
        for line in quote.lines()
    )


def check_pays(quote: Quote, pays: StaffPays | None) -> None:
    """What staff say is to be paid by bank transfer has to be such a thing, unless it is free.

    Raises: InvalidInput at `pays`.
    """
    if pays == "transfer" and quote.full_minor > 0 and not quote.by_transfer:
        raise InvalidInput(no_transfer(), fields={"pays": no_transfer()})


def no_transfer() -> str:
    return _(
        "It cannot be paid by bank transfer, since the money would not come in time. Please choose"
        " another way."
    )


def way_not_open() -> str:
    return _("This cannot be paid that way. Please choose another one.")


def check_reasons(tenant: TenantSnapshot, reasons: list[Reason], *, by_staff: bool) -> None:
    """What is hidden is as good as absent to a guest; a missing feature is the plan's refusal.

    Raises: NotFound, EstablishedOnly, PlanLimitReached, NotBookable.
    """
    if not reasons:
        return
    if not by_staff and any(reason.code in HIDDEN for reason in reasons):
        raise NotFound(_("There is no such offer."))
    if any(reason.code is ReasonCode.ESTABLISHED_ONLY for reason in reasons):
        raise EstablishedOnly
    for reason in reasons:
        if reason.code in PLAN_REASONS:
            refusal = lacks_feature(tenant.entitlements, PLAN_REASONS[reason.code])
            refusal.message = reason.guest_sentence
            raise refusal
    raise NotBookable(reasons)


def check_staff(ctx: RequestContext, pays: StaffPays, guest_email: str) -> None:
    """Only those who run the business are exempt from rules, and a link needs an address.

    Raises: NotAllowed; InvalidInput at `pays`.
    """
    if ctx.actor.role is None or not reaches(ctx.actor.role, Role.MANAGER):
        raise NotAllowed(needs_role(Role.MANAGER))
    if pays in ("link", "transfer") and not guest_email:
        sentence = _("This customer has no e-mail address to send a link to.")
        raise InvalidInput(sentence, fields={"pays": sentence})


async def find_wanted_lot(
    uow: UnitOfWork, customer_id: UUID | None, lot_id: UUID | None, *, is_wanted: bool
) -> LotFacts | None:
    """The lot that is to pay, None where none is. Raises: NotFound; InvalidInput at `way` without
    one, or nobody whose it could be.
    """
    if not is_wanted and lot_id is None:
        return None
    if customer_id is None or lot_id is None:
        raise InvalidInput(way_not_open(), fields={"way": way_not_open()})
    return await get_own_lot(uow, await keep_customer(uow, customer_id), lot_id)
