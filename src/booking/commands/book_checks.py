"""What of a wish is refused at a field, and the lines that an order has of a quote."""

from collections.abc import Mapping

from src.billing.commands.orders import NewLine
from src.booking.domain.drop_in import PayWay
from src.booking.domain.questions import answer_errors, read_questions
from src.booking.domain.quotes import Quote
from src.booking.models import Service
from src.platform.errors import InvalidInput
from src.platform.i18n import _


def check_answers(service: Service, answers: Mapping[str, str]) -> None:
    """Raises: InvalidInput at `answers.<key>`."""
    questions = read_questions(service.questions)
    fields = answer_errors(questions, answers)
    for key in answers.keys() - {question.key for question in questions}:
        fields[f"answers.{key}"] = _("This is not asked any more.")
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)


def check_way(quote: Quote, way: PayWay | None) -> None:
    """The wanted way to pay has to be the one that is quoted, unless nothing is to be paid.

    Raises: InvalidInput at `way`.
    """
    if way is None or quote.full_minor == 0 or way.value == quote.price_type.value:
        return
    sentence = way_not_open()
    raise InvalidInput(sentence, fields={"way": sentence})


def check_tiers(sentence: str | None) -> None:
    """Raises: InvalidInput at `tiers`."""
    if sentence is not None:
        raise InvalidInput(sentence, fields={"tiers": sentence})


def lines_of(quote: Quote) -> tuple[NewLine, ...]:
    """One line for those who pay the same."""
    return tuple(
        NewLine(
            kind=quote.kind,
            subject_id=quote.subject_id,
            description=quote.description,
            unit_minor=line.unit_minor,
            quantity=line.quantity,
            tier=line.tier,
            discount_minor=line.discount_minor,
            tax_rate_bp=quote.tax_rate_bp,
        )
        for line in quote.lines()
    )


def way_not_open() -> str:
    return _("This cannot be paid that way. Please choose another one.")
