"""What of a guest's wish is refused at a field, whatever the offer is."""

from collections.abc import Mapping

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
    if way is None or quote.unit_minor == 0 or way.value == quote.price_type.value:
        return
    sentence = way_not_open()
    raise InvalidInput(sentence, fields={"way": sentence})


def way_not_open() -> str:
    return _("This cannot be paid that way. Please choose another one.")
