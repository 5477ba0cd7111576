"""From the text of one form field to a value of its declared type, or a sentence saying why not.

A reader takes stripped, non-empty text. HTML has no types, so every reader is as strict as the
column behind it: whole numbers fit 32 bits and dates a reasonable calendar unless Meta says more.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec.inspect as mi

from src.platform.addresses import NotAnAddress, email_address
from src.platform.i18n import _, ngettext

Reader = Callable[[str], Any]

MAX_TEXT_CHARACTERS = 10_000
LARGEST_INTEGER = 2**31 - 1
LARGEST_DECIMAL = Decimal(10) ** 12
EARLIEST_YEAR, LATEST_YEAR = 1900, 2199

_UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_DECIMAL_NUMBER = re.compile(r"[+-]?[0-9]{1,18}([.,][0-9]{1,12})?", re.ASCII)
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?", re.ASCII)


class Refused(Exception):
    """The text cannot be used; the argument is the sentence to show at the field."""


def reader_for(node: mi.Type, extra: dict[str, Any]) -> Reader:
    """The reader of one scalar type.

    Raises: TypeError at declaration time for a type that no HTML field can carry.
    """
    for kind, build in _BUILDERS:
        if isinstance(node, kind):
            return build(node, extra)
    raise TypeError(f"A form field cannot be {node!r}.")


def is_choice(node: mi.Type) -> bool:
    """Whether the value is picked from given ones rather than typed."""
    return isinstance(node, (mi.EnumType, mi.LiteralType, mi.UUIDType))


def clean_text(text: str, *, strip: bool = True) -> str:
    """Composed characters, single newlines, no blanks around.

    Raises: Refused for characters that no person types and no column takes.
    """
    if _UNUSABLE.search(text):
        raise Refused(_("This contains characters that cannot be used."))
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return composed.strip() if strip else composed


def _text(node: Any, extra: dict[str, Any]) -> Reader:
    longest = node.max_length if node.max_length is not None else MAX_TEXT_CHARACTERS
    shortest = node.min_length or 0
    pattern = re.compile(node.pattern) if node.pattern else None

    def read(text: str) -> str:
        if len(text) > longest:
            raise Refused(_too_long(longest))
        if len(text) < shortest:
            raise Refused(
                ngettext("At least %(num)s character.", "At least %(num)s characters.", shortest)
            )
        if pattern is not None and not pattern.search(text):
            raise Refused(_(extra["message"]) if "message" in extra else _("This is not valid."))
        return _email(text) if extra.get("kind") == "email" else text

    return read


def _too_long(longest: int) -> str:
    return ngettext("At most %(num)s character.", "At most %(num)s characters.", longest)


def _email(text: str) -> str:
    try:
        return email_address(text)
    except NotAnAddress as wrong:
        raise Refused(wrong.message) from None


def _integer(node: Any, _extra: dict[str, Any]) -> Reader:
    lowest = node.ge if node.ge is not None else _after(node.gt, 1, -LARGEST_INTEGER)
    highest = node.le if node.le is not None else _after(node.lt, -1, LARGEST_INTEGER)

    def read(text: str) -> int:
        if not _WHOLE_NUMBER.fullmatch(text):
            raise Refused(_("Please give a whole number."))
        number = int(text)
        _within(number, lowest, highest)
        if node.multiple_of and number % node.multiple_of:
            raise Refused(_("Must be a multiple of %(step)s.", step=node.multiple_of))
        return number

    return read


def _after(limit: int | None, step: int, otherwise: int) -> int:
    return otherwise if limit is None else limit + step


def _within(number: Any, lowest: Any, highest: Any) -> None:
    if number < lowest:
        raise Refused(_("Must be %(limit)s or more.", limit=lowest))
    if number > highest:
        raise Refused(_("Must be %(limit)s or less.", limit=highest))


def _decimal(_node: Any, extra: dict[str, Any]) -> Reader:
    lowest = Decimal(extra.get("ge", -LARGEST_DECIMAL))
    highest = Decimal(extra.get("le", LARGEST_DECIMAL))
    places: int | None = extra.get("places")

    def read(text: str) -> Decimal:
        if not _DECIMAL_NUMBER.fullmatch(text):
            raise Refused(_("Please give a number."))
        try:
            number = Decimal(text.replace(",", "."))
        except InvalidOperation:
            raise Refused(_("Please give a number.")) from None
        _within(number, lowest, highest)
        if places is not None and number != round(number, places):
            raise Refused(ngettext("At most %(num)s decimal.", "At most %(num)s decimals.", places))
        return number

    return read


def _date(_node: Any, _extra: dict[str, Any]) -> Reader:
    def read(text: str) -> date:
        try:
            found = date.fromisoformat(text)
        except ValueError:
            raise Refused(_("Please give a date.")) from None
        _in_calendar(found)
        return found

    return read


def _in_calendar(found: date) -> None:
    if not EARLIEST_YEAR <= found.year <= LATEST_YEAR:
        raise Refused(_("Please check the year."))


def _time(_node: Any, _extra: dict[str, Any]) -> Reader:
    def read(text: str) -> time:
        if not _TIME.fullmatch(text):
            raise Refused(_("Please give a time."))
        return time.fromisoformat(text)

    return read


def _local_datetime(node: Any, _extra: dict[str, Any]) -> Reader:
    """A naive wall-clock moment: only the business knows in which zone it is meant."""
    if node.tz:
        raise TypeError("A form's date and time is local and has no zone.")

    def read(text: str) -> datetime:
        found = _parsed_local_datetime(text)
        if found is None:
            raise Refused(_("Please give a date and a time."))
        _in_calendar(found)
        return found

    return read


def _parsed_local_datetime(text: str) -> datetime | None:
    day, _separator, clock = text.replace(" ", "T", 1).partition("T")
    if not _TIME.fullmatch(clock):
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock))
    except ValueError:
        return None


def _uuid(_node: Any, _extra: dict[str, Any]) -> Reader:
    def read(text: str) -> UUID:
        try:
            return UUID(text)
        except ValueError:
            raise Refused(_not_a_choice()) from None

    return read


def _choice(values: Iterable[tuple[str, Any]]) -> Reader:
    by_text = dict(values)

    def read(text: str) -> Any:
        if text not in by_text:
            raise Refused(_not_a_choice())
        return by_text[text]

    return read


def _enum(node: Any, _extra: dict[str, Any]) -> Reader:
    members: type[Enum] = node.cls
    return _choice((str(member.value), member) for member in members)


def _literal(node: Any, _extra: dict[str, Any]) -> Reader:
    return _choice((str(value), value) for value in node.values)


def _not_a_choice() -> str:
    return _("Please choose one of the given ones.")


_BUILDERS: tuple[tuple[type[mi.Type], Callable[[Any, dict[str, Any]], Reader]], ...] = (
    (mi.StrType, _text),
    (mi.IntType, _integer),
    (mi.DecimalType, _decimal),
    (mi.DateTimeType, _local_datetime),
    (mi.DateType, _date),
    (mi.TimeType, _time),
    (mi.UUIDType, _uuid),
    (mi.EnumType, _enum),
    (mi.LiteralType, _literal),
)
