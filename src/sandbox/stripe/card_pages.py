"""What people see of a card that is kept: the page that keeps it, and their bank's question."""

from typing import Any

from litestar import Response
from litestar.response import Redirect

from src.platform.i18n import gettext as _
from src.platform.i18n import use_locale
from src.sandbox.stripe import confirming, keeping, rendering
from src.sandbox.stripe.cards import CARDS, OFFERED_TO_KEEP, find_card
from src.sandbox.stripe.engine import Work
from src.sandbox.stripe.form import Tree
from src.sandbox.stripe.objects import accounts, payment_intents, setup_intents
from src.sandbox.stripe.rendering import Visit
from src.sandbox.stripe.store import Obj

Answer = Response[Any]
_SESSION_ID = "{CHECKOUT_SESSION_ID}"


def setup_page(
    visit: Visit,
    work: Work,
    session: Obj,
    number: str = "",
    *,
    error: str = "",
    refusal: str = "",
    status: int = 200,
) -> Answer:
    return rendering.page(
        "setup.html",
        locale=visit.locale(session["locale"]),
        status=status,
        leads_to=[url for url in (session["success_url"], session["cancel_url"]) if url],
        session=session,
        business=accounts.display_name(work),
        back=(session["cancel_url"] or "").replace(_SESSION_ID, session["id"]),
        email=(session["customer_details"] or {}).get("email") or "",
        number=number or next(iter(CARDS.values())).spaced,
        error=error,
        refusal=refusal,
        cards=OFFERED_TO_KEEP,
    )


def keep(visit: Visit, work: Work, session: Obj, sent: Tree) -> Answer:
    """The button, or the choice of a test card, which only fills it in."""
    chosen = CARDS.get(str(sent.get("choose") or ""))
    if chosen is not None:
        return setup_page(visit, work, session, chosen.spaced)
    typed = str(sent.get("number") or "")
    card = find_card(typed)
    if card is None:
        with use_locale(visit.locale(session["locale"])):
            error = _("This is no test card. Choose one from the list below.")
        return setup_page(visit, work, session, typed, error=error, status=422)
    attempt = keeping.keep_card(work, session, card)
    if attempt.outcome == "needs_3ds":
        intent = work.get(setup_intents.KIND, session["setup_intent"])
        return Redirect(intent["next_action"]["redirect_to_url"]["url"], status_code=303)
    if attempt.outcome == "declined":
        return setup_page(visit, work, session, typed, refusal=attempt.message, status=402)
    return Redirect(_kept_url(session), status_code=303)


def question(visit: Visit, intent_id: str) -> Answer | None:
    """The bank's question about an intent; None where there is none by that name."""
    found = _find(visit, intent_id)
    if found is None:
        return None
    account, intent = found
    with visit.work(account) as work:
        if intent["status"] != "requires_action":
            return Redirect(_way_back(work, intent), status_code=303)
        return rendering.page(
            "authenticate.html",
            locale=visit.locale(),
            leads_to=_ways_out(work, intent),
            action=f"/c/authenticate/{intent_id}",
            amount_minor=intent.get("amount"),
            currency=intent.get("currency"),
            business=accounts.display_name(work),
        )


def answer(visit: Visit, intent_id: str, sent: Tree) -> Answer | None:
    found = _find(visit, intent_id)
    if found is None:
        return None
    account, intent = found
    approved = sent.get("decision") == "approve"
    with visit.work(account) as work:
        if intent["object"] == payment_intents.KIND:
            confirming.authenticate(work, intent, approved=approved)
        else:
            keeping.authenticate(work, intent, approved=approved)
        return Redirect(_way_back(work, intent), status_code=303)


def _find(visit: Visit, intent_id: str) -> tuple[str, Obj] | None:
    found = visit.engine.store.locate(intent_id)
    kinds = (payment_intents.KIND, setup_intents.KIND)
    return found if found and found[1]["object"] in kinds else None


def _way_back(work: Work, intent: Obj) -> str:
    """To the business; or back to the page that keeps a card, to try with another one."""
    if intent["object"] == payment_intents.KIND:
        return confirming.way_back(work, intent)
    session_id = work.store.private(intent["id"])["session"]
    session = work.get("checkout.session", session_id)
    if session["status"] == "complete":
        return _kept_url(session)
    return f"{work.cause.base_url}/c/pay/{session_id}"


def _ways_out(work: Work, intent: Obj) -> list[str]:
    """All places that an answer can lead to: a card that the bank lets pass goes elsewhere than one
    that it does not.
    """
    if intent["object"] == payment_intents.KIND:
        return [confirming.way_back(work, intent)]
    session_id = work.store.private(intent["id"])["session"]
    return [_kept_url(work.get("checkout.session", session_id))]


def _kept_url(session: Obj) -> str:
    return str(session["success_url"]).replace(_SESSION_ID, session["id"])
