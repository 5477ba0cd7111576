"""Compares answers with the stripe library's object classes, field by field."""

import inspect
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, ForwardRef, Literal, get_args, get_origin

from src.sandbox.stripe.checker.annotations import closed, is_none, literal_values, union_arms
from src.sandbox.stripe.errors import ConformanceError
from src.sandbox.stripe.sdk import StripeObject, UntypedStripeObject, object_class

Check = Callable[[Any, str, list[str]], None]

_NUMBER = re.compile(r"^-?\d+(\.\d+)?$")
_LIST_FIELDS = {"object", "data", "has_more", "url"}


def check_answer(answer: dict[str, Any]) -> None:
    """Raises `ConformanceError` that lists every field in which `answer` is not Stripe-shaped."""
    problems: list[str] = []
    _named_object(answer, str(answer.get("object")), problems)
    if problems:
        raise ConformanceError(problems)


def _named_object(value: Any, path: str, problems: list[str]) -> None:
    """Checks an object by the class that its own `object` field names."""
    if not isinstance(value, dict):
        problems.append(f"{path}: expected an object, got {value!r}")
    elif value.get("object") == "list":
        _list_object(value, path, problems)
    elif value.get("deleted") is True:
        if set(value) != {"id", "object", "deleted"}:
            problems.append(f"{path}: a deleted object has only id, object and deleted")
    else:
        declared: Any = object_class(str(value.get("object")))
        if declared is None:
            problems.append(f"{path}: unknown object {value.get('object')!r}")
        else:
            _class_check(declared)(value, path, problems)
            if value["object"] == "event":
                _named_object(value["data"]["object"], f"{path}.data.object", problems)


def _list_object(value: dict[str, Any], path: str, problems: list[str]) -> None:
    if set(value) != _LIST_FIELDS or not isinstance(value["has_more"], bool):
        problems.append(f"{path}: a list has exactly {sorted(_LIST_FIELDS)}")
        return
    for index, item in enumerate(value["data"]):
        _named_object(item, f"{path}[{index}]", problems)


@cache
def _class_check(declared: Any) -> Check:
    fields: dict[str, tuple[Check, bool]] = {}
    for name, annotation in _annotations(declared).items():
        arms = union_arms(annotation)
        fields[name] = (_check(annotation), not any(is_none(arm) for arm in arms))

    def check(value: Any, path: str, problems: list[str]) -> None:
        if not isinstance(value, dict):
            problems.append(f"{path}: expected an object, got {value!r}")
            return
        for name, item in value.items():
            if name in fields:
                fields[name][0](item, f"{path}.{name}", problems)
            else:
                problems.append(f"{path}.{name}: unknown field")
        for name, (_, required) in fields.items():
            if required and name not in value:
                problems.append(f"{path}.{name}: missing")

    return check


def _annotations(declared: Any) -> dict[str, Any]:
    """What the class declares on the wire; `deleted` only marks answers to a deletion."""
    found = {
        name: annotation
        for name, annotation in inspect.get_annotations(declared).items()
        if not _is_class_var(annotation) and name != "deleted"
    }
    if "object" not in found and "OBJECT_NAME" in declared.__dict__:
        found["object"] = Literal[declared.__dict__["OBJECT_NAME"]]
    return found


def _is_class_var(annotation: Any) -> bool:
    origin: Any = get_origin(annotation)
    return origin is ClassVar


def _check(annotation: Any) -> Check:
    arms = closed(union_arms(annotation))
    nullable = any(is_none(arm) for arm in arms)
    by_literal = literal_values(arms)
    by_scalar = tuple(_SCALARS[arm] for arm in arms if arm in _SCALARS)
    shaped = [_shaped(arm) for arm in arms if not is_none(arm) and arm not in _SCALARS]
    shapes = [shape for shape in shaped if shape is not None]

    def check(value: Any, path: str, problems: list[str]) -> None:
        if value is None:
            if not nullable:
                problems.append(f"{path}: must not be null")
        elif isinstance(value, dict | list) and shapes:
            _any_shape(shapes, value, path, problems)
        elif value not in by_literal and not any(fits(value) for fits in by_scalar):
            problems.append(f"{path}: {value!r} is not one of {annotation}")

    return check


def _any_shape(shapes: list[Check], value: Any, path: str, problems: list[str]) -> None:
    """The value fits when one shape has nothing to say; otherwise the last shape's say is kept."""
    found: list[str] = []
    for shape in shapes:
        found = []
        shape(value, path, found)
        if not found:
            return
    problems.extend(found)


def _shaped(arm: Any) -> Check | None:
    origin = get_origin(arm)
    if origin is Literal:
        return None
    if isinstance(arm, ForwardRef):
        return _named_object
    if origin is list:
        return _items(_check(get_args(arm)[0]))
    if origin is dict or arm in (Any, dict) or _is_untyped(origin or arm):
        return _free
    if origin is not None and issubclass(origin, StripeObject):
        return _named_object
    return _later(arm)


def _later(declared: Any) -> Check:
    """Compiled on first use, as classes may contain themselves."""

    def check(value: Any, path: str, problems: list[str]) -> None:
        _class_check(declared)(value, path, problems)

    return check


def _is_untyped(candidate: Any) -> bool:
    return isinstance(candidate, type) and (
        candidate is StripeObject or issubclass(candidate, UntypedStripeObject)
    )


def _items(item: Check) -> Check:
    def check(value: Any, path: str, problems: list[str]) -> None:
        if not isinstance(value, list):
            problems.append(f"{path}: expected a list")
            return
        for index, entry in enumerate(value):
            item(entry, f"{path}[{index}]", problems)

    return check


def _free(value: Any, path: str, problems: list[str]) -> None:
    if not isinstance(value, dict | list):
        problems.append(f"{path}: expected an object")


_SCALARS: dict[Any, Callable[[Any], bool]] = {
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    Decimal: lambda value: isinstance(value, str) and bool(_NUMBER.match(value)),
    Any: lambda value: True,
}
