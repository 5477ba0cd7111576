"""The pieces that type hints of the stripe library are made of."""

import sys
import typing
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import typing_extensions

_NAMES: dict[str, Any] = {
    **{name: getattr(typing, name) for name in ("Any", "Dict", "List", "Optional", "Union")},
    **{name: getattr(typing_extensions, name) for name in ("Literal", "NotRequired", "TypedDict")},
    "Decimal": Decimal,
}
_OPTIONAL_MARKS = (typing_extensions.NotRequired, typing.NotRequired)


def resolve(annotation: Any, module: str) -> Any:
    """Evaluates a quoted hint in the module that wrote it; other hints come back as they are."""
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        names = {**_NAMES, **vars(sys.modules[module])}
        # The text is the installed library's own source, never anything that was sent.
        return resolve(eval(annotation, names), module)  # noqa: S307  the library's own hints
    return annotation


def strip_not_required(annotation: Any, module: str) -> tuple[Any, bool]:
    """The hint itself, and whether its field must be sent."""
    annotation = resolve(annotation, module)
    if get_origin(annotation) in _OPTIONAL_MARKS:
        return resolve(get_args(annotation)[0], module), False
    return annotation, True


def resolved_arms(annotation: Any, module: str) -> list[Any]:
    """As `union_arms`, with each quoted member evaluated in the module that wrote it."""
    members = [resolve(arm, module) for arm in union_arms(resolve(annotation, module))]
    return [arm for member in members for arm in union_arms(member)]


def union_arms(annotation: Any) -> list[Any]:
    """The members of a union in order, nested unions flattened; one member for anything else."""
    if get_origin(annotation) not in (Union, UnionType):
        return [annotation]
    return [arm for member in get_args(annotation) for arm in union_arms(member)]


def closed(arms: list[Any]) -> list[Any]:
    """Drops `str` beside an enumeration: the library leaves its enums open for values of later
    API versions, while a sender of today's version must use one that exists.
    """
    enumerated = any(value != "" for value in literal_values(arms))
    return [arm for arm in arms if not (arm is str and enumerated)]


def literal_values(arms: list[Any]) -> list[Any]:
    return [value for arm in arms if get_origin(arm) is Literal for value in get_args(arm)]


def is_none(arm: Any) -> bool:
    return arm is None or arm is NoneType
