"""Neither the access log nor a trace holds a link that lets its bearer in."""

import re
from typing import Any
from uuid import uuid4

import pytest
from litestar import Litestar

from src.platform.tracing import details_of_request
from src.platform.web.loggable import loggable_path

SECRET = "c2VjcmV0LXRva2Vu"
PUBLIC = {"act", "slug", "service_slug", "kind"}


def scope_of(route: str, **given: object) -> Any:
    path = re.sub(r"\{(\w+)\}", lambda found: str(given[found[1]]), route)
    return {"path_template": route, "path": path, "path_params": given, "method": "GET"}


@pytest.mark.anyio
async def test_what_is_no_id_and_no_name_is_never_written_down(app: Litestar) -> None:
    secret_routes = 0
    for route in app.routes:
        names = [one.name for one in route.path_components if not isinstance(one, str)]
        if "path" in names:
            continue
        given = {name: "lotus" if name in PUBLIC else SECRET for name in names}
        scope = scope_of(route.path_format, **given)
        name, details = details_of_request(scope)
        assert SECRET not in " ".join([loggable_path(scope), name, *details.values()]), name
        secret_routes += SECRET in scope["path"]
    assert secret_routes > 20


def test_an_id_and_a_name_are_told() -> None:
    session_id = uuid4()
    route = "/app/{slug}/sessions/{session_id}"
    scope = scope_of(route, slug="lotus", session_id=session_id)
    assert loggable_path(scope) == f"/app/lotus/sessions/{session_id}"
    name, details = details_of_request(scope | {"query_string": b"key=" + SECRET.encode()})
    assert name == f"GET {route}"
    assert details["http.target"] == f"/app/lotus/sessions/{session_id}"
    assert details["url.query"] == ""
