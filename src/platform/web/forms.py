"""HTML forms into msgspec structs, with every field's error and what was typed kept.

    class BookingForm(msgspec.Struct):
        name: Annotated[str, Meta(max_length=100)]
        email: Email
        party_size: Annotated[int, Meta(ge=1, le=20)] = 1
        terms: MustAccept

    bound = bind(BookingForm, await read_form(request))
    if bound.struct is None:
        return page(request, "booking/form.html", View(form=bound), status_code=422)

What HTML cannot say is read from the declared type: an empty field is None for an optional one and
the default for one that has a default; an absent checkbox is False; one value is a list of one.
A list of structs comes as `rows.name` repeated or `rows.0.name`, a dict as `answers.<key>`.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from enum import Enum
from typing import Annotated, Any, Generic, TypeVar, cast
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException
from litestar.utils.scope.state import ScopeState
from msgspec import Meta

from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.web.form_plans import FormData, plan_of
from src.platform.web.uploads import UploadedFile, read_upload

__all__ = [
    "Bound",
    "Email",
    "FormData",
    "MustAccept",
    "Password",
    "bind",
    "blank",
    "form_data",
    "multipart_form",
    "read_form",
    "rest_of",
]

T = TypeVar("T", bound=msgspec.Struct)

MAX_FIELDS = 10_000

Email = Annotated[str, Meta(max_length=254, extra={"kind": "email"})]
Password = Annotated[str, Meta(max_length=200, extra={"strip": False, "secret": True})]
MustAccept = Annotated[bool, Meta(extra={"must_accept": True})]


class Bound(Generic[T]):
    """A form on its way through one request: what was typed, what it means, what is wrong with it.

    `struct` is the value when everything could be used and None otherwise.
    """

    __slots__ = ("_data", "_secret", "errors", "form_error", "struct")

    def __init__(
        self,
        struct: T | None,
        data: FormData,
        errors: Mapping[str, str] | None = None,
        form_error: str | None = None,
        secret: frozenset[str] = frozenset(),
    ) -> None:
        self.struct = struct
        self._data = data
        self._secret = secret
        self.errors: dict[str, str] = dict(errors or {})
        self.form_error = form_error

    @property
    def is_valid(self) -> bool:
        return self.struct is not None and not self.errors and self.form_error is None

    @property
    def raw(self) -> dict[str, list[str]]:
        """The texts as typed, by field; what is secret is left out."""
        return {k: v for k, v in self._data.texts.items() if k not in self._secret}

    def value(self, name: str) -> str:
        """The text to show in the field again, "" when there is none."""
        found = self.values(name)
        return found[-1] if found else ""

    def values(self, name: str) -> list[str]:
        return [] if name in self._secret else self._data.texts.get(name, [])

    def checked(self, name: str, option: object = "on") -> bool:
        """Whether this option of a checkbox, radio or select is the chosen one."""
        return as_text(option) in self.values(name)

    def rows(self, name: str) -> int:
        """How many rows of a nested list were sent, to show as many again."""
        return len(self._data.row_prefixes(name))

    def rows_in_use(self, name: str, *columns: str) -> int:
        """How many there are up to the last with something typed in one of these columns."""
        used = [
            row
            for row in range(self.rows(name))
            if any(self.value(f"{name}.{row}.{column}").strip() for column in columns)
        ]
        return used[-1] + 1 if used else 0

    def error(self, name: str) -> str | None:
        return self.errors.get(name)

    def readable(self) -> FormData:
        """The texts of the fields that nothing is wrong with."""
        data = FormData()
        data.texts = {k: v for k, v in self._data.texts.items() if k not in self.errors}
        return data

    def filled_with(self, values: Mapping[str, Any]) -> "Bound[T]":
        """The same typed form, with these in place of what stood in their fields."""
        data = FormData()
        typed = self._data.texts.items()
        data.texts = {name: said for name, said in typed if name.split(".")[0] not in values}
        for name, value in values.items():
            _fill(data.texts, name, value)
        return Bound(None, data, secret=self._secret)

    def with_errors(
        self, fields: Mapping[str, str] | None = None, form_error: str | None = None
    ) -> "Bound[T]":
        """The same typed form, now with what a command found wrong."""
        errors = {**self.errors, **(fields or {})}
        return Bound(None, self._data, errors, form_error or self.form_error, self._secret)

    def refused(self, error: InvalidInput) -> "Bound[T]":
        """The same typed form with a command's refusal: at its fields, else above the form."""
        return self.with_errors(error.fields, None if error.fields else error.message)


def bind(form: type[T], raw: FormData | Mapping[str, Any]) -> Bound[T]:
    """The struct that the fields make, or every field's error; never raises for what was typed."""
    data = raw if isinstance(raw, FormData) else form_data(raw)
    plan = plan_of(form)
    errors: dict[str, str] = {}
    values = plan.collect(data, "", errors)
    form_error = data.refusal
    struct: T | None = None
    if not errors and form_error is None:
        struct, form_error = _build(form, values, errors)
    return Bound(struct, data, errors, form_error, plan.secret_names)


def rest_of(form: type[T], bound: Bound[T]) -> T | None:
    """What was typed into the fields that can be used, the wrong ones as if nobody had filled them
    in: for judging those too before all errors are shown at once. None where it needs a wrong one.
    """
    return bind(form, bound.readable()).struct


def _build(
    form: type[T], values: dict[str, Any], errors: dict[str, str]
) -> tuple[T | None, str | None]:
    """The struct, or what its own `__post_init__` has to say about the fields together."""
    try:
        return form(**values), None
    except InvalidInput as refusal:
        errors.update(refusal.fields)
        return None, None if refusal.fields else refusal.message
    except ValueError as refusal:
        return None, str(refusal)


def blank(form: type[T], initial: Mapping[str, Any] | msgspec.Struct | None = None) -> Bound[T]:
    """A form nobody has filled in yet: the struct's defaults, then `initial` over them."""
    plan = plan_of(form)
    values: dict[str, Any] = plan.defaults()
    if isinstance(initial, msgspec.Struct):
        values.update(
            {
                name: getattr(initial, name)
                for name in initial.__struct_fields__
                if name in plan.names
            }
        )
    else:
        values.update(initial or {})
    data = FormData()
    for name, value in values.items():
        _fill(data.texts, name, value)
    return Bound(None, data, secret=plan.secret_names)


def _fill(texts: dict[str, list[str]], name: str, value: Any) -> None:
    if isinstance(value, msgspec.Struct):
        value = {field: getattr(value, field) for field in value.__struct_fields__}
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _fill(texts, f"{name}.{as_text(key)}", inner)
    elif isinstance(value, (list, tuple, set, frozenset)):
        nested = any(isinstance(item, (msgspec.Struct, Mapping)) for item in value)
        if nested:
            _fill(texts, name, dict(enumerate(value)))
        else:
            texts[name] = [as_text(item) for item in value]
    else:
        texts[name] = [as_text(value)]


def as_text(value: object) -> str:
    """The value as an HTML field holds it."""
    if value is None or value is False:
        return ""
    if value is True:
        return "on"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, time):
        return value.strftime("%H:%M")
    return value.isoformat() if isinstance(value, date) else str(value)


async def read_form(request: Request[Any, Any, Any]) -> FormData:
    """The request's form, files included.

    Raises: ClientException (400) for a body that is no form or has too many fields.
    """
    if request.content_type[0] == RequestEncodingType.URL_ENCODED:
        return form_data(await _urlencoded(request))
    return form_data(await multipart_form(request))


async def multipart_form(request: Request[Any, Any, Any]) -> FormMultiDict:
    """The parts of a multipart form; the caller closes the files it does not read.

    Raises: ClientException (400) for a body that is no form.
    """
    try:
        return await request.form()
    except (UnicodeDecodeError, LookupError):
        raise ClientException("The form could not be read.") from None


async def _urlencoded(request: Request[Any, Any, Any]) -> dict[str, list[str]]:
    """Parsed here, because the framework's parser keeps every body it saw, passwords included."""
    state = ScopeState.from_scope(request.scope)
    if isinstance(state.form, dict):
        return cast("dict[str, list[str]]", state.form)
    texts: dict[str, list[str]] = {}
    try:
        body = (await request.body()).decode("ascii")
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise ClientException("The form could not be read.") from None
    for name, text in pairs:
        texts.setdefault(name, []).append(text)
    state.form = cast("Any", texts)
    return texts


def form_data(raw: Mapping[str, Any]) -> FormData:
    """Texts and files by name, from a multi-dict or a plain dict of values and lists."""
    data = FormData()
    for name, value in _pairs(raw):
        if isinstance(value, (UploadFile, UploadedFile)):
            file = read_upload(value) if isinstance(value, UploadFile) else value
            data.files.setdefault(name, []).append(file)
        elif value is not None:
            data.texts.setdefault(name, []).append(as_text(value))
    if len(data.texts) > MAX_FIELDS:
        data.refusal = _("This form has too many fields.")
    return data


def _pairs(raw: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    if hasattr(raw, "getall"):
        yield from raw.items()
        return
    for name, value in raw.items():
        for item in value if isinstance(value, (list, tuple)) else (value,):
            yield name, item
