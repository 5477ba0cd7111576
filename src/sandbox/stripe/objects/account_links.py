"""Links to the onboarding page: short-lived and good for one use."""

from src.sandbox.stripe.engine import PLATFORM, Work
from src.sandbox.stripe.errors import missing_parameter
from src.sandbox.stripe.ids import random_text
from src.sandbox.stripe.objects import accounts
from src.sandbox.stripe.objects.checks import require_url
from src.sandbox.stripe.store import Obj

_LIFE_SECONDS = 300


def create(work: Work, params: Obj) -> Obj:
    accounts.load(work, params["account"])
    for name in ("refresh_url", "return_url"):
        if name not in params:
            raise missing_parameter(name)
        require_url(name, params[name])
    token = random_text(12)
    link = {
        "object": "account_link",
        "created": work.now,
        "expires_at": work.now + _LIFE_SECONDS,
        "url": f"{work.cause.base_url}/setup/{params['account']}/{token}",
    }
    private = {name: params[name] for name in ("account", "refresh_url", "return_url")}
    work.store.insert(PLATFORM, _row_id(token), link, private | {"used": False})
    return link


def find(work: Work, account_id: str, token: str) -> Obj | None:
    """Where the link leads and whether it still works; nothing for one that never was."""
    link = work.store.get(PLATFORM, "account_link", _row_id(token))
    private = work.store.private(_row_id(token))
    if link is None or private["account"] != account_id:
        return None
    fresh = not private["used"] and work.now < link["expires_at"]
    return private | {"fresh": fresh}


def use(work: Work, token: str) -> None:
    private = work.store.private(_row_id(token))
    work.store.save_private(_row_id(token), private | {"used": True})


def _row_id(token: str) -> str:
    return f"link_{token}"
