"""Turns a decoded form into typed values by a params TypedDict, or raises Stripe's own error."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Literal, get_args, get_origin

from typing_extensions import is_typeddict

from src.sandbox.stripe.checker.annotations import (
    closed,
    is_none,
    literal_values,
    resolved_arms,
    strip_not_required,
)
from src.sandbox.stripe.errors import (
    ApiError,
    empty_parameter,
    invalid_parameter,
    missing_parameter,
    unknown_parameter,
)
from src.sandbox.stripe.form import Tree
from src.sandbox.stripe.sdk import REQUEST_OPTIONS, UntypedStripeObject, params_type

Raw = str | Tree
Parser = Callable[[Raw, str], Any]

_INTEGER = re.compile(r"^-?\d{1,18}$")
_METADATA_KEYS = 50
_METADATA_KEY_LENGTH = 40
_METADATA_VALUE_LENGTH = 500


def parse_params(name: str, tree: Tree) -> dict[str, Any]:
    """The parameters of the call whose params type is `name`, typed and complete."""
    parsed: dict[str, Any] = _object_parser(params_type(name))(tree, "")
    return parsed


@cache
def _object_parser(declared: Any) -> Parser:
    module = declared.__module__
    fields: dict[str, tuple[Parser, bool]] = {}
    for name, annotation in declared.__annotations__.items():
        if name not in REQUEST_OPTIONS:
            hint, required = strip_not_required(annotation, module)
            fields[name] = (_parser(hint, module), required)

    def parse(raw: Raw, path: str) -> Any:
        if not isinstance(raw, dict):
            raise invalid_parameter(path, "Invalid object")
        for name in raw:
            if name not in fields:
                raise unknown_parameter(_join(path, name))
        for name, (_, required) in fields.items():
            if required and name not in raw:
                raise missing_parameter(_join(path, name))
        return {name: fields[name][0](value, _join(path, name)) for name, value in raw.items()}

    return parse


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _parser(hint: Any, module: str) -> Parser:
    arms = [
        arm
        for arm in closed(resolved_arms(hint, module))
        if not is_none(arm) and get_origin(arm) is not UntypedStripeObject
    ]
    if len(arms) > 1:
        return _union_parser(arms, module)
    arm = arms[0]
    origin = get_origin(arm)
    if origin is Literal:
        return _literal_parser(arms)
    if origin is list:
        return _list_parser(_parser(get_args(arm)[0], module))
    if origin is dict:
        return _mapping_parser(_parser(get_args(arm)[1], module))
    if is_typeddict(arm):
        return _later(arm)
    return _SCALARS[arm]


def _later(declared: Any) -> Parser:
    """Compiled on first use, as params types may contain themselves."""

    def parse(raw: Raw, path: str) -> Any:
        return _object_parser(declared)(raw, path)

    return parse


def _union_parser(arms: list[Any], module: str) -> Parser:
    literals = literal_values(arms)
    shaped = [arm for arm in arms if is_typeddict(arm) or get_origin(arm) in (dict, list)]
    scalars = [arm for arm in arms if arm not in shaped and get_origin(arm) is not Literal]
    for_trees = [_parser(arm, module) for arm in shaped]
    for_text = [_SCALARS[arm] for arm in sorted(scalars, key=_strictest_first)]
    if any(value != "" for value in literals):
        for_text.insert(0, _literal_parser(arms))

    def parse(raw: Raw, path: str) -> Any:
        if raw == "" and "" in literals:
            return ""
        candidates = for_text if isinstance(raw, str) else for_trees
        return _first_that_fits(candidates or for_text or for_trees, raw, path)

    return parse


def _strictest_first(arm: Any) -> int:
    return [bool, int, float, Decimal, str].index(arm)


def _first_that_fits(candidates: list[Parser], raw: Raw, path: str) -> Any:
    refusal: ApiError | None = None
    for parse in candidates:
        try:
            return parse(raw, path)
        except ApiError as error:
            refusal = error
    raise refusal or invalid_parameter(path, "Invalid object")


def _literal_parser(arms: list[Any]) -> Parser:
    allowed = [value for value in literal_values(arms) if value != ""]
    listed = " or ".join([", ".join(allowed[:-1]) + ",", allowed[-1]] if allowed[1:] else allowed)

    def parse(raw: Raw, path: str) -> Any:
        if raw not in allowed:
            raise invalid_parameter(path, f"Invalid {path}: must be one of {listed}")
        return raw

    return parse


def _list_parser(item: Parser) -> Parser:
    def parse(raw: Raw, path: str) -> list[Any]:
        if isinstance(raw, str) or not all(key.isdecimal() for key in raw):
            raise invalid_parameter(path, "Invalid array")
        return [item(raw[key], f"{path}[{key}]") for key in sorted(raw, key=int)]

    return parse


def _mapping_parser(item: Parser) -> Parser:
    def parse(raw: Raw, path: str) -> dict[str, Any]:
        if isinstance(raw, str):
            raise invalid_parameter(path, "Invalid object")
        if path.endswith(("metadata", "metadata]")):
            _check_metadata(raw, path)
            return dict(raw)
        return {key: item(value, _join(path, key)) for key, value in raw.items()}

    return parse


def _check_metadata(raw: Tree, path: str) -> None:
    if len(raw) > _METADATA_KEYS:
        raise invalid_parameter(path, f"Metadata can have up to {_METADATA_KEYS} keys.")
    for key, value in raw.items():
        if not isinstance(value, str):
            raise invalid_parameter(_join(path, key), "Metadata values must be strings.")
        if len(key) > _METADATA_KEY_LENGTH:
            raise invalid_parameter(
                _join(path, key),
                f"Metadata keys can have up to {_METADATA_KEY_LENGTH} characters, "
                f"but you passed in a key that is {len(key)} characters.",
            )
        if len(value) > _METADATA_VALUE_LENGTH:
            raise invalid_parameter(
                _join(path, key),
                f"Metadata values can have up to {_METADATA_VALUE_LENGTH} characters, "
                f"but you passed in a value that is {len(value)} characters.",
            )


def _text(raw: Raw, path: str) -> str:
    if not isinstance(raw, str):
        raise invalid_parameter(path, "Invalid string")
    if raw == "":
        raise empty_parameter(path)
    return raw


def _integer(raw: Raw, path: str) -> int:
    text = _text(raw, path)
    if not _INTEGER.match(text):
        raise invalid_parameter(path, f"Invalid integer: {text}", "parameter_invalid_integer")
    return int(text)


def _boolean(raw: Raw, path: str) -> bool:
    text = _text(raw, path).lower()
    if text not in ("true", "false"):
        raise invalid_parameter(path, f"Invalid boolean: {text}")
    return text == "true"


def _decimal(raw: Raw, path: str) -> Decimal:
    text = _text(raw, path)
    try:
        return Decimal(text)
    except InvalidOperation:
        raise invalid_parameter(path, f"Invalid decimal: {text}") from None


def _anything(raw: Raw, path: str) -> Raw:
    return raw


_SCALARS: dict[Any, Parser] = {
    str: _text,
    int: _integer,
    bool: _boolean,
    float: lambda raw, path: float(_decimal(raw, path)),
    Decimal: _decimal,
    Any: _anything,
    object: _anything,
}
