"""What a violated constraint means to a person, by the constraint's name."""

from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from src.platform.errors import Conflict, DomainError, InvalidInput, Unavailable
from src.platform.i18n import _

SERIALIZATION_FAILURES = {"40001", "40P01", "55P03"}
# A NUL in a text, as sent or behind a JSON escape: PostgreSQL keeps neither.
UNSTORABLE_TEXT = {"22021", "22P05"}
_meanings: dict[str, Callable[[], DomainError]] = {}


def register_constraint(name: str, meaning: Callable[[], DomainError]) -> None:
    """From now on a violation of the constraint `name` is raised as `meaning()`."""
    _meanings[name] = meaning


def violated(error: DBAPIError) -> tuple[str | None, str | None]:
    """The SQLSTATE and constraint name behind a driver's error, None where there is none."""
    cause = getattr(error.orig, "__cause__", None) or error.orig
    return getattr(cause, "sqlstate", None), getattr(cause, "constraint_name", None)


def as_domain_error(error: DBAPIError) -> DomainError | None:
    """The refusal that a database error stands for, or None when it is a fault of ours."""
    sqlstate, constraint = violated(error)
    if constraint is not None and constraint in _meanings:
        return _meanings[constraint]()
    if sqlstate in SERIALIZATION_FAILURES:
        return Unavailable(_("We are very busy just now. Please try again."), code="busy")
    if sqlstate in UNSTORABLE_TEXT:
        return InvalidInput(_("This contains characters that cannot be stored."))
    if sqlstate == "23P01":
        return Conflict(_("That time is already taken."))
    return None
