"""Lists with Stripe's cursors."""

from typing import Any

from src.sandbox.stripe.engine import Work
from src.sandbox.stripe.errors import invalid_parameter
from src.sandbox.stripe.store import Obj, Slice

_LARGEST_PAGE = 100
_DEFAULT_PAGE = 10


def list_objects(
    work: Work, kind: str, url: str, params: Obj, filters: tuple[str, ...] = (), **fixed: Any
) -> Obj:
    """One page, newest first. `filters` names the parameters that are fields of the object and
    must be equal; `created` with its bounds works for every kind; `fixed` narrows further.
    """
    where = {name: params[name] for name in (*filters, "created") if name in params}
    page = work.store.page(work.account, kind, where | fixed, _slice(params))
    return as_list(page.data, url, page.has_more)


def as_list(data: list[Obj], url: str, has_more: bool = False) -> Obj:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def _slice(params: Obj) -> Slice:
    limit = params.get("limit", _DEFAULT_PAGE)
    if limit < 1:
        raise invalid_parameter("limit", "This value must be greater than or equal to 1.")
    if limit > _LARGEST_PAGE:
        raise invalid_parameter(
            "limit", f"This value must be less than or equal to {_LARGEST_PAGE}."
        )
    return Slice(limit, params.get("starting_after"), params.get("ending_before"))
