"""One API request from its bytes to its answer: key, account, parameters, idempotency, faults."""

import asyncio
import hashlib
import json
import logging
from dataclasses import dataclass, field
from typing import Any

from src.sandbox.stripe.checker.requests import parse_params
from src.sandbox.stripe.engine import PLATFORM, Cause, Engine
from src.sandbox.stripe.errors import (
    ApiError,
    ConformanceError,
    beyond_the_sandbox,
    no_such_route,
)
from src.sandbox.stripe.expansion import expand
from src.sandbox.stripe.expiry import expire_due
from src.sandbox.stripe.faults import ApiFault, ApiFaultKind
from src.sandbox.stripe.form import decode_form
from src.sandbox.stripe.ids import random_text
from src.sandbox.stripe.objects import accounts
from src.sandbox.stripe.routes import Route, match
from src.sandbox.stripe.sdk import API_VERSION
from src.sandbox.stripe.store import Obj, SavedAnswer

_log = logging.getLogger(__name__)

_KEY_LIFE_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class ApiRequest:
    """What the handler needs of an HTTP request; `form` is the body of a POST, else the query."""

    method: str
    path: str
    form: str
    authorization: str
    base_url: str
    version: str = API_VERSION
    account: str = ""
    idempotency_key: str = ""
    request_id: str = field(default_factory=lambda: f"req_{random_text(14)}")


@dataclass(frozen=True)
class ApiAnswer:
    """Status, JSON body and headers; `hang_seconds` means that no answer comes for so long."""

    status: int
    body: str
    headers: dict[str, str]
    hang_seconds: float = 0.0


@dataclass(frozen=True)
class _Call:
    """A request that was found to be in order, so that its work can begin."""

    request: ApiRequest
    account: str
    route: Route
    ids: tuple[str, ...]
    params: Obj
    fingerprint: str
    fault: ApiFault | None

    @property
    def key(self) -> str:
        """Only POSTs are kept by their idempotency key; the rest change nothing anyway."""
        return self.request.idempotency_key if self.request.method == "POST" else ""

    def hit_by(self, *kinds: ApiFaultKind) -> bool:
        return self.fault is not None and self.fault.kind in kinds


class Api:
    """Answers API requests. Holds the idempotency keys that are in flight at this moment."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._in_flight: set[tuple[str, str]] = set()

    async def answer(self, request: ApiRequest) -> ApiAnswer:
        """Never raises: every error becomes the answer that Stripe would give."""
        fault: ApiFault | None = None
        try:
            account = self._account(request)
            fault = self._engine.faults.take_api_fault(request.method, request.path, account)
            if fault is not None:
                _fail_before(fault)
            call = _prepare(request, account, fault)
            answer = await self._idempotent(call)
        except _Hang as hang:
            return self._error(request, _internal_error(), hang_seconds=hang.seconds)
        except ApiError as error:
            return self._error(request, error)
        except ConformanceError as error:
            _log.error("an answer is not Stripe-shaped: %s", error)
            message = f"The answer does not conform to the stripe library: {error}"
            return self._error(request, ApiError(message, status=500, kind="api_error"))
        if fault is not None and fault.kind == "timeout_after":
            return ApiAnswer(answer.status, answer.body, answer.headers, fault.seconds)
        if fault is not None and fault.kind in ("error_500_after", "error_500_sticky"):
            return self._error(request, _internal_error())
        return answer

    def _account(self, request: ApiRequest) -> str:
        """The account that the call is made on; raises 401 and 403."""
        scheme, _, key = request.authorization.partition(" ")
        if not key:
            raise ApiError(
                "You did not provide an API key. You need to provide your API key in the "
                "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
                "YOUR_SECRET_KEY').",
                status=401,
                saved=False,
            )
        if scheme.lower() != "bearer" or key != self._engine.config.secret_key:
            shown = f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}"
            raise ApiError(f"Invalid API Key provided: {shown}", status=401, saved=False)
        account = request.account or PLATFORM
        if account != PLATFORM and not accounts.is_connected(self._engine, account):
            raise accounts.no_access(self._engine, account)
        return account

    async def _idempotent(self, call: _Call) -> ApiAnswer:
        replayed = self._replay(call) if call.key else None
        if replayed is not None:
            return replayed
        slot = (call.account, call.key or call.request.request_id)
        self._in_flight.add(slot)
        try:
            if call.fault is not None and call.fault.kind == "delay":
                await asyncio.sleep(call.fault.seconds)
            return self._perform(call)
        finally:
            self._in_flight.discard(slot)

    def _replay(self, call: _Call) -> ApiAnswer | None:
        """The stored answer of the key, or nothing for a new key."""
        account, key = call.account, call.key
        if (account, key) in self._in_flight:
            raise ApiError(
                "There is currently another in-progress request using this Idempotent Key (that "
                "probably means you submitted twice, and the other request is still going "
                f"through): {key}. Please try again later.",
                status=409,
                kind="idempotency_error",
                code="idempotency_key_in_use",
                saved=False,
            )
        saved = self._engine.store.answer(account, key)
        if saved is None or saved.at + _KEY_LIFE_SECONDS < self._engine.clock.now():
            return None
        if saved.fingerprint != call.fingerprint:
            raise ApiError(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                kind="idempotency_error",
                saved=False,
            )
        headers = {"idempotent-replayed": "true", "original-request": saved.request_id}
        return self._answer(call.request, saved.status, saved.body, headers)

    def _perform(self, call: _Call) -> ApiAnswer:
        """Does the work and keeps its answer under the key in the same transaction."""
        expire_due(self._engine)
        request, wanted = call.request, call.params.get("expand", [])
        declined: ApiError | None = None
        cause = Cause(request.base_url, request.request_id, call.key or None)
        try:
            with self._engine.work(call.account, cause) as work:
                if call.fault is not None and call.fault.kind == "refuse":
                    raise _chosen_error(call.fault)
                found = call.route.handler(work, call.params, *call.ids)
                if isinstance(found, ApiError):
                    declined, status, body = found, found.status, _as_json(found)
                else:
                    answer = expand(work, found, wanted)
                    status, body = 200, json.dumps(self._engine.checked(answer), ensure_ascii=False)
                if call.hit_by("error_500_sticky"):
                    self._keep(call, 500, _as_json(_internal_error()))
                else:
                    self._keep(call, status, body)
        except ApiError as error:
            if error.saved:
                with self._engine.store.transaction():
                    self._keep(call, error.status, _as_json(error))
            raise
        return self._answer(request, 200 if declined is None else declined.status, body, {})

    def _keep(self, call: _Call, status: int, body: str) -> None:
        if call.key:
            at, request_id = self._engine.clock.now(), call.request.request_id
            saved = SavedAnswer(call.fingerprint, at, request_id, status, body)
            self._engine.store.save_answer(call.account, call.key, saved)

    def _error(self, request: ApiRequest, error: ApiError, hang_seconds: float = 0.0) -> ApiAnswer:
        return self._answer(request, error.status, _as_json(error), {}, hang_seconds)

    def _answer(
        self,
        request: ApiRequest,
        status: int,
        body: str,
        headers: dict[str, str],
        hang_seconds: float = 0.0,
    ) -> ApiAnswer:
        common = {"request-id": request.request_id, "stripe-version": request.version}
        if request.idempotency_key:
            common["idempotency-key"] = request.idempotency_key
        if request.account:
            common["stripe-account"] = request.account
        return ApiAnswer(status, body, common | headers, hang_seconds)


class _Hang(Exception):
    """Nothing is done and no answer comes for some seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def _fail_before(fault: ApiFault) -> None:
    if fault.kind == "timeout_before":
        raise _Hang(fault.seconds)
    if fault.kind == "error_500_before":
        raise _internal_error()
    if fault.kind == "rate_limit":
        raise ApiError(
            "Too many requests hit the API too quickly. We recommend an exponential backoff of "
            "your requests.",
            status=429,
            code="rate_limit",
            saved=False,
        )


def _prepare(request: ApiRequest, account: str, fault: ApiFault | None) -> _Call:
    """Finds the route and types the parameters; what is wrong here is kept under no key."""
    found = match(request.method, request.path)
    if found is None:
        raise no_such_route(request.method, request.path)
    route, ids = found
    tree = decode_form(request.form)
    params = parse_params(route.params, tree)
    _refuse_what_is_not_done(route, params)
    told = json.dumps([request.method, request.path, tree], sort_keys=True)
    fingerprint = hashlib.sha256(told.encode()).hexdigest()
    return _Call(request, account, route, ids, params, fingerprint, fault)


def _chosen_error(fault: ApiFault) -> ApiError:
    given: dict[str, Any] = {"message": "Refused by a test.", **fault.error}
    return ApiError(**given)


def _refuse_what_is_not_done(route: Route, params: Obj) -> None:
    for name in _set_leaves(params, ""):
        steps = name.split(".")
        prefixes = {".".join(steps[: at + 1]) for at in range(len(steps))}
        if not prefixes & route.does:
            raise beyond_the_sandbox(name)


def _set_leaves(value: Any, name: str) -> list[str]:
    """Names of all parameters that ask for something, without the numbers of lists. To say that
    something shall be off is to ask for nothing.
    """
    if isinstance(value, dict):
        return [
            leaf
            for key, item in value.items()
            for leaf in _set_leaves(item, f"{name}.{key}" if name else key)
        ]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _set_leaves(item, name)]
    return [] if value is False or value == "" else [name]


def _as_json(error: ApiError) -> str:
    return json.dumps(error.body(), ensure_ascii=False)


def _internal_error() -> ApiError:
    return ApiError(
        "An error occurred with our connection to the payment network. Please try again.",
        status=500,
        kind="api_error",
    )
