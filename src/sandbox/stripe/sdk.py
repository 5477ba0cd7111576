"""The only module here that looks into the stripe library: its version and its declared types."""

import importlib
from functools import cache
from typing import Any

import stripe
from stripe._object_classes import OBJECT_CLASSES
from stripe._request_options import RequestOptions
from stripe._stripe_object import StripeObject, UntypedStripeObject

API_VERSION = str(stripe.api_version)

__all__ = [
    "API_VERSION",
    "REQUEST_OPTIONS",
    "StripeObject",
    "UntypedStripeObject",
    "object_class",
    "params_type",
]

REQUEST_OPTIONS = frozenset(RequestOptions.__annotations__)
"""Names that a params type inherits for the library's own use; they never go over the wire."""


@cache
def object_class(name: str) -> type[StripeObject] | None:
    """The library's class for the value of an `object` field."""
    where = OBJECT_CLASSES.get(name)
    if where is None:
        return None
    found: type[StripeObject] = getattr(importlib.import_module(where[0]), where[1])
    return found


@cache
def params_type(name: str) -> Any:
    """The TypedDict of a call, such as `checkout.SessionCreateParams`."""
    *packages, leaf = name.split(".")
    return getattr(importlib.import_module(".".join(["stripe.params", *packages])), leaf)
