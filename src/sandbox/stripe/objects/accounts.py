"""Connected accounts: made by the platform, able to charge once onboarding is finished."""

from typing import Any

from src.sandbox.stripe.engine import PLATFORM, Engine, Work
from src.sandbox.stripe.errors import ApiError, no_such
from src.sandbox.stripe.ids import new_account_id
from src.sandbox.stripe.objects.listing import as_list, list_objects
from src.sandbox.stripe.store import Obj

APPLICATION = "ca_SandboxApplication"

_DUE = ["business_profile.url", "external_account", "tos_acceptance.date", "tos_acceptance.ip"]
_UPDATABLE = ("email", "business_type", "default_currency")
_CURRENCY_BY_COUNTRY = {
    "US": "usd", "GB": "gbp", "PL": "pln", "CH": "chf", "CZ": "czk", "DK": "dkk", "SE": "sek",
    "NO": "nok", "CA": "cad", "AU": "aud", "HU": "huf", "RO": "ron", "JP": "jpy",
}  # fmt: skip


def ensure_platform(engine: Engine) -> None:
    """The account behind the secret key exists from the first start on and may charge."""
    if engine.store.get(PLATFORM, "account", PLATFORM) is None:
        with engine.work() as work:
            account = _new_account(work, PLATFORM, {"business_profile": {"name": "Platform"}})
            _open_for_charges(account)
            work.add(account)


def create(work: Work, params: Obj) -> Obj:
    account = _new_account(work, new_account_id(), params)
    return work.on(PLATFORM).add(account, {"connected": True})


def retrieve(work: Work, params: Obj, account_id: str = "") -> Obj:
    """Without an id: the account that the call is made on."""
    return load(work, account_id or work.account)


def update(work: Work, params: Obj, account_id: str) -> Obj:
    account = load(work, account_id)
    previous = {name: account[name] for name in _UPDATABLE if name in params}
    account.update({name: params[name] for name in _UPDATABLE if name in params})
    for nested in ("business_profile", "metadata"):
        if nested in params:
            previous[nested] = dict(account[nested])
            account[nested] = merged(account[nested], params[nested] or {})
    _save_and_tell(work, account, previous)
    return account


def delete(work: Work, params: Obj, account_id: str) -> Obj:
    load(work, account_id)
    work.store.delete(account_id)
    return {"id": account_id, "object": "account", "deleted": True}


def list_all(work: Work, params: Obj) -> Obj:
    page = list_objects(work, "account", "/v1/accounts", params)
    connected = [account for account in page["data"] if account["id"] != PLATFORM]
    return as_list(connected, "/v1/accounts", page["has_more"])


def load(work: Work, account_id: str) -> Obj:
    """An account that the platform may use; raises Stripe's 403 for any other."""
    account = work.store.get(PLATFORM, "account", account_id)
    if account is None or (account_id != PLATFORM and not is_connected(work.engine, account_id)):
        raise no_access(work.engine, account_id)
    return account


def is_connected(engine: Engine, account_id: str) -> bool:
    """Whether the platform may act for the account: it exists and has not disconnected."""
    return bool(engine.store.private(account_id).get("connected"))


def no_access(engine: Engine, account_id: str) -> ApiError:
    key = engine.config.secret_key
    masked = f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}"
    return ApiError(
        f"The provided key '{masked}' does not have access to account '{account_id}' (or that "
        "account does not exist). Application access may have been revoked.",
        status=403,
        code="account_invalid",
        saved=False,
    )


def finish_onboarding(work: Work, account_id: str) -> Obj:
    """What the business does on Stripe's own pages: from now on the account may charge."""
    account = load(work, account_id)
    previous = {
        name: account[name] for name in ("charges_enabled", "payouts_enabled", "details_submitted")
    }
    _open_for_charges(account)
    _save_and_tell(work, account, previous)
    return account


def set_charges_enabled(work: Work, account_id: str, enabled: bool) -> Obj:
    """What Stripe does when it restricts an account, or lifts the restriction."""
    if enabled:
        return finish_onboarding(work, account_id)
    account = load(work, account_id)
    account["charges_enabled"] = account["payouts_enabled"] = False
    account["requirements"] |= {"disabled_reason": "requirements.past_due", "past_due": _DUE[:1]}
    _save_and_tell(work, account, {"charges_enabled": True})
    return account


def deauthorize(work: Work, account_id: str) -> Obj:
    """The business disconnects the platform: its account stays, and can no longer be used."""
    account = load(work, account_id)
    work.store.save_private(account_id, {"connected": False})
    application = {"id": APPLICATION, "object": "application", "name": "Seatline"}
    work.on(account_id).emit("account.application.deauthorized", application)
    return account


def require_charges(work: Work) -> None:
    """Raises when the account that the call is made on may not take payments."""
    account = work.store.get(PLATFORM, "account", work.account)
    if account is None:
        raise no_such("account", work.account)
    if not account["charges_enabled"]:
        raise ApiError(
            "Your account cannot currently make charges. Its onboarding has to be finished first.",
        )


def display_name(work: Work) -> str:
    """How the business is called on the pages that its customers see."""
    account = work.store.get(PLATFORM, "account", work.account) or {}
    name = (account.get("business_profile") or {}).get("name") or account.get("email")
    return str(name or work.account)


def merged(old: Obj, new: Obj) -> Obj:
    """The old fields with the new ones over them; an empty string takes a field away."""
    kept = {**old, **new}
    return {name: value for name, value in kept.items() if value != ""}


def _save_and_tell(work: Work, account: Obj, previous: Obj) -> None:
    work.store.save(account)
    work.on(account["id"]).emit("account.updated", account, previous)


def _open_for_charges(account: Obj) -> None:
    account.update(
        charges_enabled=True,
        payouts_enabled=True,
        details_submitted=True,
        capabilities=dict.fromkeys(account["capabilities"], "active"),
        requirements=_requirements([]),
        future_requirements=_requirements([]),
    )


def _requirements(due: list[str]) -> Obj:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": due,
        "disabled_reason": "requirements.past_due" if due else None,
        "errors": [],
        "eventually_due": due,
        "past_due": [],
        "pending_verification": [],
    }


def _new_account(work: Work, account_id: str, params: Obj) -> Obj:
    country = params.get("country", "US")
    wanted = params.get("capabilities") or {}
    asked = [name for name, ask in wanted.items() if ask and ask.get("requested")]
    return {
        "id": account_id,
        "object": "account",
        "business_profile": _business_profile(params.get("business_profile") or {}),
        "business_type": params.get("business_type"),
        "capabilities": dict.fromkeys(asked or ("card_payments", "transfers"), "inactive"),
        "charges_enabled": False,
        "controller": _controller(params),
        "country": country,
        "created": work.now,
        "default_currency": params.get("default_currency", currency_of(country)),
        "details_submitted": False,
        "email": params.get("email"),
        "external_accounts": as_list([], f"/v1/accounts/{account_id}/external_accounts"),
        "future_requirements": _requirements([]),
        "metadata": dict(params.get("metadata") or {}),
        "payouts_enabled": False,
        "requirements": _requirements(list(_DUE)),
        "settings": _settings(params),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": params.get("type", "none" if params.get("controller") else "standard"),
    }


def currency_of(country: str) -> str:
    return _CURRENCY_BY_COUNTRY.get(country, "eur")


def _business_profile(given: Obj) -> Obj:
    names = (
        "mcc", "name", "product_description", "support_address", "support_email",
        "support_phone", "support_url", "url",
    )  # fmt: skip
    return {name: given.get(name) for name in names}


def _controller(params: Obj) -> Obj:
    if not params.get("controller"):
        return {"type": "application" if params.get("type") else "account"}
    given = params["controller"]
    return {
        "type": "application",
        "is_controller": True,
        "fees": {"payer": (given.get("fees") or {}).get("payer", "account")},
        "losses": {"payments": (given.get("losses") or {}).get("payments", "stripe")},
        "requirement_collection": given.get("requirement_collection", "stripe"),
        "stripe_dashboard": {"type": (given.get("stripe_dashboard") or {}).get("type", "full")},
    }


def _settings(params: Obj) -> dict[str, Any]:
    name = (params.get("business_profile") or {}).get("name")
    return {
        "bacs_debit_payments": {"display_name": None, "service_user_number": None},
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            "statement_descriptor_prefix": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "dashboard": {"display_name": name, "timezone": "Etc/UTC"},
        "payments": {
            "statement_descriptor": None,
            "statement_descriptor_kana": None,
            "statement_descriptor_kanji": None,
        },
        "payouts": {
            "debit_negative_balances": True,
            "schedule": {"delay_days": 2, "interval": "daily"},
            "statement_descriptor": None,
        },
        "sepa_debit_payments": {},
    }
