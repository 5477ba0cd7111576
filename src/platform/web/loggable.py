"""What of an address may be written down, where those who keep the service running read it."""

import re
from uuid import UUID

from litestar.types import Scope

from src.platform.web.metrics import route_of

PUBLIC_PARAMETERS = frozenset({"slug", "service_slug", "kind", "path"})
"""Words in addresses that let nobody in, as ids let nobody in without a session or a key."""

_PARAMETER = re.compile(r"\{(\w+)\}")
MOST = 200


def loggable_path(scope: Scope) -> str:
    """The path without its query; but the route's template where a part of it is neither an id nor
    public, for that part may be a link that lets its bearer in.
    """
    route = route_of(scope)
    parameters = scope.get("path_params", {})
    if all(
        name in PUBLIC_PARAMETERS or isinstance(parameters.get(name), UUID)
        for name in _PARAMETER.findall(route)
    ):
        return str(scope["path"])[:MOST]
    return route
