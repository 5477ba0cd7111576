"""The front page of the stand-in: what happened here lately, and acts of other people to try."""

from collections.abc import Callable
from typing import Literal

from litestar.response import Redirect

from src.sandbox.stripe import payments, rendering
from src.sandbox.stripe.engine import Work
from src.sandbox.stripe.errors import ApiError
from src.sandbox.stripe.expiry import expire_due
from src.sandbox.stripe.form import Tree
from src.sandbox.stripe.objects import accounts, checkout_sessions, disputes, refunds
from src.sandbox.stripe.pages import Answer
from src.sandbox.stripe.rendering import Visit
from src.sandbox.stripe.store import Obj

_SHOWN = 25


def overview(visit: Visit, refusal: str = "", status: int = 200) -> Answer:
    """The latest payment pages of all accounts, newest first."""
    expire_due(visit.engine)
    with visit.work() as work:
        rows = [_row(work.on(account), session) for account, session in _latest(visit)]
        return rendering.page(
            "overview.html",
            locale=visit.locale(),
            status=status,
            rows=rows,
            refusal=refusal,
            deliveries=visit.engine.store.delivery_counts(),
        )


def act(visit: Visit, action: str, sent: Tree) -> Answer:
    """What the bank or the business would do elsewhere; a refusal is shown on the page."""
    found = visit.engine.store.locate(str(sent.get("session", "")))
    chosen = _ACTIONS.get(action)
    if found is None or chosen is None or found[1]["object"] != checkout_sessions.KIND:
        return overview(visit, "There is no such payment page.", 404)
    account, session = found
    try:
        with visit.work(account) as work:
            chosen(work, session)
    except ApiError as error:
        return overview(visit, error.message, 422)
    return Redirect(f"{visit.base_url}/", status_code=303)


def _latest(visit: Visit) -> list[tuple[str, Obj]]:
    return visit.engine.store.latest(checkout_sessions.KIND, _SHOWN)


def _row(work: Work, session: Obj) -> Obj:
    charge = _charge(work, session)
    return {
        "session": session,
        "business": accounts.display_name(work),
        "lines": [line["description"] for line in work.store.private(session["id"])["lines"]],
        "email": (session["customer_details"] or {}).get("email") or "",
        "state": _state(work, session, charge),
        "refunds": _refunds_of(work, charge) if charge else [],
    }


def _charge(work: Work, session: Obj) -> Obj | None:
    if not session["payment_intent"]:
        return None
    intent = work.get("payment_intent", session["payment_intent"])
    return work.get("charge", intent["latest_charge"]) if intent["latest_charge"] else None


def _refunds_of(work: Work, charge: Obj) -> list[Obj]:
    """The latest, oldest first: those that failed too, of whose money nothing shows otherwise."""
    found: list[Obj] = refunds.list_all(work, {"charge": charge["id"]})["data"]
    return found[::-1]


def _state(work: Work, session: Obj, charge: Obj | None) -> str:
    if session["status"] != "complete":
        return str(session["status"])
    if session["mode"] == "setup":
        return "kept"
    if charge is None:
        return "waiting"
    if charge["disputed"]:
        dispute = _dispute_of(work, charge)
        return str(dispute["status"]) if dispute["status"] in ("won", "lost") else "disputed"
    return "refunded" if charge["refunded"] else "paid"


def _refund(work: Work, session: Obj) -> None:
    refunds.create(work, {"payment_intent": session["payment_intent"]})


def _dispute(work: Work, session: Obj) -> None:
    charge = _charge(work, session)
    if charge is None:
        raise ApiError("Nothing was paid on this page.")
    disputes.open_on(work, charge, "fraudulent")


def _dispute_of(work: Work, charge: Obj) -> Obj:
    found: Obj = disputes.list_all(work, {"charge": charge["id"], "limit": 1})
    if not found["data"]:
        raise ApiError("This payment is not disputed.")
    newest: Obj = found["data"][0]
    return newest


def _decide(work: Work, session: Obj, outcome: Literal["won", "lost"]) -> None:
    charge = _charge(work, session)
    if charge is None:
        raise ApiError("Nothing was paid on this page.")
    disputes.close(work, _dispute_of(work, charge)["id"], outcome)


def _business_wins(work: Work, session: Obj) -> None:
    _decide(work, session, "won")


def _business_loses(work: Work, session: Obj) -> None:
    _decide(work, session, "lost")


def _money_arrives(work: Work, session: Obj) -> None:
    payments.settle_slow(work, session, succeeded=True)


def _money_fails(work: Work, session: Obj) -> None:
    payments.settle_slow(work, session, succeeded=False)


_ACTIONS: dict[str, Callable[[Work, Obj], None]] = {
    "refund": _refund,
    "dispute": _dispute,
    "win": _business_wins,
    "lose": _business_loses,
    "arrive": _money_arrives,
    "fail": _money_fails,
}
