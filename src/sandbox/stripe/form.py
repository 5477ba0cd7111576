"""Form bodies and query strings with bracketed names, the way Stripe's clients write them."""

import re
from urllib.parse import parse_qsl

from src.sandbox.stripe.errors import ApiError

Tree = dict[str, "str | Tree"]

_NAME = re.compile(r"^[^\[\]]+(\[[^\[\]]*\])*$")


def decode_form(text: str) -> Tree:
    """`a[b][0][c]=1` becomes `{"a": {"b": {"0": {"c": "1"}}}}`; `a[]` takes the next free number.

    Lists stay numbered objects here, since only the parameter's type says what they are.
    """
    tree: Tree = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if not _NAME.match(name):
            raise ApiError(f"Invalid parameter name: {name}", param=name, saved=False)
        _put(tree, name, re.split(r"\]?\[", name.removesuffix("]")), value)
    return tree


def _put(tree: Tree, name: str, keys: list[str], value: str) -> None:
    for key in keys[:-1]:
        branch = tree.setdefault(key or str(len(tree)), {})
        if isinstance(branch, str):
            raise ApiError(f"Invalid object: {name}", param=name, saved=False)
        tree = branch
    tree[keys[-1] or str(len(tree))] = value
