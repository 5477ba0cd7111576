"""How a form struct is read, worked out once per struct from its declared types."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import msgspec
import msgspec.inspect as mi

from src.platform.i18n import _, ngettext
from src.platform.web.form_readers import Reader, Refused, clean_text, is_choice, reader_for
from src.platform.web.uploads import UploadedFile, refusal

MAX_ITEMS = 5_000
MAX_ROWS = 500
MAX_KEY_CHARACTERS = 100
TRUE_TEXTS = {"on", "true", "1", "yes"}
FALSE_TEXTS = {"", "off", "false", "0", "no"}

Errors = dict[str, str]


class FormData:
    """What came in, by field name: texts and files, each possibly repeated."""

    __slots__ = ("files", "refusal", "texts")

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.files: dict[str, list[UploadedFile]] = {}
        self.refusal: str | None = None

    def keys_below(self, prefix: str) -> list[str]:
        """The parts after `prefix.` of the names that start so."""
        start = f"{prefix}."
        return [name[len(start) :] for name in self.texts if name.startswith(start)]

    def row_prefixes(self, name: str) -> list[str]:
        """The prefix of each row of a nested list, in order: `name.0`, `name.1`, ...

        Rows sent as columns (`name.email` repeated) are first rewritten as rows.
        """
        columns = [key for key in self.keys_below(name) if "." not in key and not key.isdigit()]
        for column in columns:
            for index, text in enumerate(self.texts[f"{name}.{column}"]):
                self.texts.setdefault(f"{name}.{index}.{column}", [text])
        numbers = {
            int(match[1])
            for key in self.keys_below(name)
            if (match := re.match(r"([0-9]{1,4})\.", key))
        }
        return [f"{name}.{number}" for number in sorted(numbers)]


class Field:
    """One field of a struct; `read` gives its value or puts a sentence into the errors."""

    def __init__(self, field: mi.Field) -> None:
        self.attribute = field.name
        self.name = field.encode_name
        self.node, self.extra, self.is_optional = _unwrapped(field.type)
        self.is_secret = bool(self.extra.get("secret"))
        self.default = _default_of(field)

    def value(self, data: FormData, name: str, errors: Errors) -> Any:
        try:
            return self.read(data, name, errors)
        except Refused as refused:
            errors[name] = str(refused)
            return None

    def read(self, data: FormData, name: str, errors: Errors) -> Any:
        raise NotImplementedError

    def absent(self, data: FormData, name: str) -> Any:
        """The value of an empty field.

        Raises: Refused when the field has to be filled in.
        """
        if self.is_optional and (name in data.texts or self.default is None):
            return None
        if self.default is not None:
            return self.default()
        raise Refused(
            _("Please choose one.") if is_choice(self.node) else _("Please fill this in.")
        )


class ScalarField(Field):
    def __init__(self, field: mi.Field) -> None:
        super().__init__(field)
        self._reader = reader_for(self.node, self.extra)
        self._strip = self.extra.get("strip", True)

    def read(self, data: FormData, name: str, errors: Errors) -> Any:
        texts = data.texts.get(name)
        text = clean_text(texts[-1], strip=self._strip) if texts else ""
        return self._reader(text) if text else self.absent(data, name)


class FlagField(Field):
    """A checkbox: absent is False, whatever the default, for that is how HTML says no."""

    def read(self, data: FormData, name: str, errors: Errors) -> bool | None:
        texts = [text.strip().lower() for text in data.texts.get(name, [])]
        if self.is_optional and not any(texts):
            return None
        if any(text not in TRUE_TEXTS | FALSE_TEXTS for text in texts):
            raise Refused(_("Please choose yes or no."))
        is_on = any(text in TRUE_TEXTS for text in texts)
        if self.extra.get("must_accept") and not is_on:
            raise Refused(_("Please tick this to go on."))
        return is_on


class FileField(Field):
    def read(self, data: FormData, name: str, errors: Errors) -> UploadedFile | None:
        files = data.files.get(name)
        if not files:
            if self.is_optional:
                return None
            raise Refused(_("Please choose a file."))
        reason = refusal(files[-1], self.extra)
        if reason is not None:
            raise Refused(reason)
        return files[-1]


class ListField(Field):
    """Values of one name, repeated; empty ones do not count."""

    def __init__(self, field: mi.Field) -> None:
        super().__init__(field)
        item, extra, _optional = _unwrapped(self.node.item_type)
        self._reader: Reader = reader_for(item, extra)
        self._build = _COLLECTIONS[type(self.node)]

    def read(self, data: FormData, name: str, errors: Errors) -> Any:
        texts = [text for raw in data.texts.get(name, []) if (text := clean_text(raw))]
        if not texts and self.is_optional:
            return None
        _counted(self.node, len(texts), MAX_ITEMS)
        return self._build([self._reader(text) for text in texts])


class RowsField(Field):
    """A list of structs; a row's errors are named `rows.0.email`."""

    def __init__(self, field: mi.Field) -> None:
        super().__init__(field)
        item, _extra, _optional = _unwrapped(self.node.item_type)
        self._struct = item.cls
        self._plan = plan_of(item.cls)
        self._build = _COLLECTIONS[type(self.node)]

    def read(self, data: FormData, name: str, errors: Errors) -> Any:
        prefixes = data.row_prefixes(name)
        _counted(self.node, len(prefixes), MAX_ROWS)
        before = len(errors)
        rows = [self._plan.collect(data, f"{prefix}.", errors) for prefix in prefixes]
        if len(errors) > before:
            return None
        return self._build([self._struct(**row) for row in rows])


class AnswersField(Field):
    """A dict whose keys are not known beforehand, such as a business's own questions."""

    def __init__(self, field: mi.Field) -> None:
        super().__init__(field)
        self._key = reader_for(*_unwrapped(self.node.key_type)[:2])
        value, extra, _optional = _unwrapped(self.node.value_type)
        self._is_list = isinstance(value, mi.ListType)
        self._value = reader_for(
            *_unwrapped(value.item_type)[:2] if self._is_list else (value, extra)
        )

    def read(self, data: FormData, name: str, errors: Errors) -> dict[Any, Any]:
        answers: dict[Any, Any] = {}
        for key in data.keys_below(name):
            path = f"{name}.{key}"
            try:
                self._read_one(data.texts[path], key, answers)
            except Refused as refused:
                errors[path[: MAX_KEY_CHARACTERS * 2]] = str(refused)
        return answers

    def _read_one(self, raw: list[str], key: str, answers: dict[Any, Any]) -> None:
        if len(key) > MAX_KEY_CHARACTERS:
            raise Refused(_("This form has an unknown field."))
        texts = [text for item in raw if (text := clean_text(item))]
        if self._is_list:
            answers[self._key(key)] = [self._value(text) for text in texts]
        elif texts:
            answers[self._key(key)] = self._value(texts[-1])


class FormPlan:
    """All fields of one form struct."""

    def __init__(self, struct: type[msgspec.Struct]) -> None:
        info = mi.type_info(struct)
        assert isinstance(info, mi.StructType), struct
        self._fields = [_field(field) for field in info.fields]
        self.names = frozenset(field.attribute for field in self._fields)
        self.secret_names = frozenset(field.name for field in self._fields if field.is_secret)

    def collect(self, data: FormData, prefix: str, errors: Errors) -> dict[str, Any]:
        """Values by attribute; what could not be used is in `errors` under its full name."""
        return {
            field.attribute: field.value(data, prefix + field.name, errors)
            for field in self._fields
        }

    def defaults(self) -> dict[str, Any]:
        return {field.name: field.default() for field in self._fields if field.default is not None}


@cache
def plan_of(struct: type[msgspec.Struct]) -> FormPlan:
    return FormPlan(struct)


def _field(field: mi.Field) -> Field:
    node, _extra, _optional = _unwrapped(field.type)
    if isinstance(node, mi.BoolType):
        return FlagField(field)
    if isinstance(node, mi.StructType) and node.cls is UploadedFile:
        return FileField(field)
    if isinstance(node, mi.DictType):
        return AnswersField(field)
    if isinstance(node, tuple(_COLLECTIONS)):
        item, _extra, _optional = _unwrapped(node.item_type)  # type: ignore[attr-defined]  # the four collection types have it, their base has not
        return RowsField(field) if isinstance(item, mi.StructType) else ListField(field)
    return ScalarField(field)


def _unwrapped(node: mi.Type) -> tuple[Any, dict[str, Any], bool]:
    """The type itself, the extras of its Meta, and whether None is allowed as well."""
    extra: dict[str, Any] = {}
    is_optional = False
    while isinstance(node, (mi.Metadata, mi.UnionType)):
        if isinstance(node, mi.Metadata):
            extra |= node.extra or {}
            node = node.type
            continue
        others = [inner for inner in node.types if not isinstance(inner, mi.NoneType)]
        if len(others) != 1:
            raise TypeError(f"A form field has one type: {node!r}.")
        is_optional, node = True, others[0]
    return node, extra, is_optional


def _default_of(field: mi.Field) -> Callable[[], Any] | None:
    if field.default is not msgspec.NODEFAULT:
        return lambda: field.default
    return None if field.default_factory is msgspec.NODEFAULT else field.default_factory


def _counted(node: Any, count: int, most_allowed: int) -> None:
    fewest = node.min_length or 0
    most = node.max_length if node.max_length is not None else most_allowed
    if count < fewest:
        raise Refused(
            ngettext("Please choose at least %(num)s.", "Please choose at least %(num)s.", fewest)
        )
    if count > most:
        raise Refused(ngettext("At most %(num)s.", "At most %(num)s.", most))


_COLLECTIONS: dict[type[mi.Type], Callable[[Iterable[Any]], Any]] = {
    mi.ListType: list,
    mi.SetType: set,
    mi.FrozenSetType: frozenset,
    mi.VarTupleType: tuple,
}
