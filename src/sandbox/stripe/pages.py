"""What people see: the payment page, 3-D Secure, onboarding, and an overview for the curious."""

from typing import Any

from litestar import Response
from litestar.response import Redirect

from src.platform.i18n import gettext as _
from src.platform.i18n import use_locale
from src.sandbox.stripe import card_pages, payments, rendering
from src.sandbox.stripe.cards import CARDS, OFFERED, find_card
from src.sandbox.stripe.engine import Work
from src.sandbox.stripe.expiry import expire_due
from src.sandbox.stripe.form import Tree
from src.sandbox.stripe.methods import INSTANT_METHODS, SLOW_METHODS, InstantMethod, SlowMethod
from src.sandbox.stripe.objects import account_links, accounts, checkout_sessions
from src.sandbox.stripe.objects.checks import is_email
from src.sandbox.stripe.payments import Attempt, Payer
from src.sandbox.stripe.rendering import Visit
from src.sandbox.stripe.store import Obj

Answer = Response[Any]

_SESSION_ID = "{CHECKOUT_SESSION_ID}"
OTHERS: dict[str, SlowMethod | InstantMethod] = {**INSTANT_METHODS, **SLOW_METHODS}
_FIRST_CARD = next(iter(CARDS.values()))


def checkout(visit: Visit, session_id: str) -> Answer:
    """The payment page; a session that is over says so instead."""
    found = _find_session(visit, session_id)
    if found is None:
        return _notice(visit, "missing", None, "", 404)
    account, session = found
    with visit.work(account) as work:
        if session["mode"] == "setup" and session["status"] == "open":
            return card_pages.setup_page(visit, work, session)
        form = _first_form(session)
        return _checkout_page(visit, work, session, form)


def pay(visit: Visit, session_id: str, sent: Tree) -> Answer:
    """The pay button, or the choice of a test card, which only fills it in."""
    found = _find_session(visit, session_id)
    if found is None:
        return _notice(visit, "missing", None, "", 404)
    account, session = found
    form = _sent_form(session, sent)
    with visit.work(account) as work:
        if session["mode"] == "setup" and session["status"] == "open":
            return card_pages.keep(visit, work, session, sent)
        if session["status"] != "open" or form["choose"]:
            return _checkout_page(visit, work, session, form)
        with use_locale(visit.locale(session["locale"])):
            errors = _errors(form)
        if errors:
            return _checkout_page(visit, work, session, form, errors=errors, status=422)
        attempt = _attempt(work, session, form)
        return _after(visit, work, session, form, attempt)


def authentication(visit: Visit, session_id: str) -> Answer:
    """The bank's question. Whoever comes here without one goes back to the payment page."""
    found = _find_session(visit, session_id)
    if found is None:
        return _notice(visit, "missing", None, "", 404)
    account, session = found
    with visit.work(account) as work:
        if not _is_asked(work, session):
            return Redirect(f"{visit.base_url}/c/pay/{session_id}", status_code=303)
        return rendering.page(
            "authenticate.html",
            locale=visit.locale(session["locale"]),
            leads_to=_ways_out(session),
            action=f"/c/pay/{session_id}/authenticate",
            amount_minor=session["amount_total"],
            currency=session["currency"],
            business=accounts.display_name(work),
        )


def card_question(visit: Visit, intent_id: str) -> Answer:
    """The bank's question about a card that was kept, or is about to be."""
    return card_pages.question(visit, intent_id) or _notice(visit, "missing", None, "", 404)


def answer_card_question(visit: Visit, intent_id: str, sent: Tree) -> Answer:
    return card_pages.answer(visit, intent_id, sent) or _notice(visit, "missing", None, "", 404)


def answer_authentication(visit: Visit, session_id: str, sent: Tree) -> Answer:
    found = _find_session(visit, session_id)
    if found is None:
        return _notice(visit, "missing", None, "", 404)
    account, session = found
    with visit.work(account) as work:
        approved = sent.get("decision") == "approve"
        attempt = payments.authenticate(work, session, approved=approved)
        return _after(visit, work, session, _first_form(session), attempt)


def onboarding(visit: Visit, account_id: str, token: str) -> Answer:
    """The business's form at Stripe. A link that is used or too old leads to `refresh_url`."""
    with visit.work() as work:
        link = account_links.find(work, account_id, token)
        if link is None:
            return _notice(visit, "missing", None, "", 404)
        if not link["fresh"]:
            return Redirect(link["refresh_url"], status_code=303)
        account = accounts.load(work, account_id)
        return rendering.page(
            "onboarding.html",
            locale=visit.locale(),
            leads_to=[link["refresh_url"], link["return_url"]],
            account=account,
            business=accounts.display_name(work.on(account_id)),
        )


def finish_onboarding(visit: Visit, account_id: str, token: str, sent: Tree) -> Answer:
    """Both buttons use the link up and lead back; only one of them opens the account."""
    with visit.work() as work:
        link = account_links.find(work, account_id, token)
        if link is None:
            return _notice(visit, "missing", None, "", 404)
        if not link["fresh"]:
            return Redirect(link["refresh_url"], status_code=303)
        account_links.use(work, token)
        if sent.get("decision") == "finish":
            accounts.finish_onboarding(work, account_id)
        return Redirect(link["return_url"], status_code=303)


def _find_session(visit: Visit, session_id: str) -> tuple[str, Obj] | None:
    expire_due(visit.engine)
    found = visit.engine.store.locate(session_id)
    return found if found and found[1]["object"] == checkout_sessions.KIND else None


def _is_asked(work: Work, session: Obj) -> bool:
    if session["status"] != "open" or not session["payment_intent"]:
        return False
    intent = work.get("payment_intent", session["payment_intent"])
    return bool(intent["status"] == "requires_action")


def _attempt(work: Work, session: Obj, form: Obj) -> Attempt:
    payer = Payer(form["email"], form["name"] or None)
    if form["method"] != "card":
        return payments.pay_otherwise(work, session, form["method"], payer)
    card = find_card(form["number"])
    assert card is not None, "the form was checked before"
    return payments.pay_by_card(work, session, card, payer)


def _after(visit: Visit, work: Work, session: Obj, form: Obj, attempt: Attempt) -> Answer:
    if attempt.outcome in ("paid", "waiting"):
        return Redirect(_success_url(session), status_code=303)
    if attempt.outcome == "needs_3ds":
        target = f"{visit.base_url}/c/pay/{session['id']}/authenticate"
        return Redirect(target, status_code=303)
    if attempt.outcome == "not_open":
        return _checkout_page(visit, work, session, form)
    return _checkout_page(visit, work, session, form, refusal=attempt.message, status=402)


def _success_url(session: Obj) -> str:
    return str(session["success_url"]).replace(_SESSION_ID, session["id"])


def _cancel_url(session: Obj) -> str:
    return str(session["cancel_url"] or "").replace(_SESSION_ID, session["id"])


def _ways_out(session: Obj) -> list[str]:
    return [url for url in (session["success_url"], session["cancel_url"]) if url]


def _first_form(session: Obj) -> Obj:
    details = session["customer_details"] or {}
    return {
        "email": details.get("email") or "",
        "name": details.get("name") or "",
        "number": _FIRST_CARD.spaced,
        "expiry": "12 / 34",
        "cvc": "123",
        "method": session["payment_method_types"][0],
        "choose": "",
    }


def _sent_form(session: Obj, sent: Tree) -> Obj:
    """What was typed; an address that the business gave cannot be changed here."""
    form = _first_form(session)
    typed = {name: str(sent[name]).strip() for name in form if name in sent}
    if session["customer_email"] or session["customer"]:
        typed.pop("email", None)
    form.update(typed)
    chosen = CARDS.get(form["choose"])
    if chosen is not None:
        form["number"] = chosen.spaced
    if form["method"] not in session["payment_method_types"]:
        form["method"] = session["payment_method_types"][0]
    return form


def _errors(form: Obj) -> dict[str, str]:
    errors = {}
    if not is_email(form["email"]):
        errors["email"] = _("Enter an e-mail address, such as you@example.com.")
    if form["method"] == "card" and find_card(form["number"]) is None:
        errors["number"] = _("This is no test card. Choose one from the list below.")
    return errors


def _checkout_page(
    visit: Visit,
    work: Work,
    session: Obj,
    form: Obj,
    *,
    errors: dict[str, str] | None = None,
    refusal: str = "",
    status: int = 200,
) -> Answer:
    business = accounts.display_name(work)
    if session["status"] != "open":
        return _notice(visit, _state(session), session, business)
    return rendering.page(
        "checkout.html",
        locale=visit.locale(session["locale"]),
        status=status,
        leads_to=_ways_out(session),
        session=session,
        lines=work.store.private(session["id"])["lines"],
        business=business,
        back=_cancel_url(session),
        minutes_left=max(1, (session["expires_at"] - work.now) // 60),
        form=form,
        fixed_email=bool(session["customer_email"] or session["customer"]),
        errors=errors or {},
        refusal=refusal,
        cards=OFFERED,
        others=[OTHERS[kind] for kind in session["payment_method_types"] if kind != "card"],
        takes_cards="card" in session["payment_method_types"],
    )


def _state(session: Obj) -> str:
    if session["status"] == "expired":
        return "expired"
    if session["mode"] == "setup":
        return "kept"
    return "paid" if session["payment_status"] == "paid" else "waiting"


def _notice(
    visit: Visit, state: str, session: Obj | None, business: str, status: int = 200
) -> Answer:
    """A page that only tells how things stand, with the way back to the business."""
    over = state in ("paid", "waiting", "kept")
    back = "" if session is None else (_success_url if over else _cancel_url)(session)
    return rendering.page(
        "notice.html",
        locale=visit.locale(session["locale"] if session else None),
        status=status,
        state=state,
        session=session,
        business=business,
        back=back,
    )
