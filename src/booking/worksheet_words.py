"""What of a worksheet is said in words."""

from src.booking.domain.worksheet_answers import SheetAnswer, as_date
from src.booking.domain.worksheets import CopyState, SheetKind
from src.platform.i18n import _
from src.platform.web.formats import day_medium


def in_words(answer: SheetAnswer) -> str:
    """The answer as people read it; nothing of a file, which is named beside it."""
    if answer.kind is SheetKind.DATE and answer.values:
        day = as_date(answer.values[0])
        return answer.values[0] if day is None else day_medium(day)
    if answer.kind is SheetKind.SCALE and answer.values:
        return _("%(chosen)s of %(steps)s", chosen=answer.values[0], steps=answer.steps)
    return ", ".join(answer.values)


def state_words(state: str) -> str:
    """How far a copy is, as staff read it."""
    return {
        CopyState.ASKED: _("Not begun"),
        CopyState.BEGUN: _("Begun"),
        CopyState.SENT: _("Filled in"),
        CopyState.REOPENED: _("Open again"),
        CopyState.TAKEN_BACK: _("Taken back"),
    }[CopyState(state)]
