"""Where a browser finds a page again that was the answer to a form.

A page that answers a form has no GET of its own: whoever goes back to it or reloads it is asked by
the browser whether to send the form once more, unless the browser may keep the page. So the page
says where it is to be had by GET, and a script puts that address into the browser's history
(static/js/kit.js). That is the address that the form was sent to, or, where that one only takes
forms, the one that its handler names:

    @post("/account/name", shown_at="/account", ...)

What that page shows may be chosen by its query, where the form has the choice in a field: then the
answer says which query it is (`page(..., again_with=...)`).
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, cast
from urllib.parse import quote, urlencode

from litestar.routes import BaseRoute, HTTPRoute
from litestar.types import Scope

from src.platform.web.exchange import NOT_KEPT, exchange_of
from src.platform.web.metrics import route_of

SHOWN_AT = "shown_at"
ITSELF = ""
LONGEST_QUERY = 4_000
"""What stands before us may refuse a longer address; then the browser rather asks."""
_PLACE = re.compile(r"\{(\w+)(?::\w+)?\}")


def pages_among(routes: Iterable[BaseRoute]) -> frozenset[str]:
    """The templates of the addresses that answer GET."""
    return frozenset(
        route.path_format
        for route in routes
        if isinstance(route, HTTPRoute) and "GET" in route.methods
    )


def found_again_at(
    scope: Scope, cache_policy: str | None, query: Sequence[tuple[str, str]] = ()
) -> str | None:
    """The address at which this page is to be had by GET, ITSELF for the one that is asked for.

    With a `query` it is in place of the one that was asked with. None for what is no answer to a
    form, for what the browser may keep, as it then has what was typed, for what no GET answers, and
    where the query would be too long.
    `cache_policy`: the answer's own, None where it has none.
    """
    exchange = exchange_of(scope)
    policy = exchange.cache_policy if cache_policy is None else cache_policy
    if scope.get("method") != "POST" or NOT_KEPT not in policy:
        return None
    handler = cast("dict[str, Any]", scope).get("route_handler")
    named = handler.opt.get(SHOWN_AT) if handler is not None else None
    asked = f"?{urlencode(query)}" if query else ""
    if len(asked) > LONGEST_QUERY:
        return None
    if named is not None:
        places = scope["path_params"]
        return _PLACE.sub(lambda place: quote(str(places[place[1]]), safe=""), named) + asked
    return ITSELF + asked if route_of(scope) in exchange.kit.addresses_of_pages else None
