"""The failures that the program says on purpose.

    DomainError                 the root; never raised itself
    ├── NotFound                404  absent, or another tenant's: the two look alike
    ├── Conflict                409  true a moment ago, no longer (sold out, started, changed)
    ├── InvalidInput            422  what was typed cannot be used; `fields` says where
    ├── NotAllowed              403  signed in, but not for this
    ├── SignInRequired          401  nobody is signed in
    ├── PlanLimitReached        402  the tenant's plan lacks a feature or its month is used up
    ├── TooManyRequests         429  slow down; `retry_after_seconds`
    ├── Gone                    410  a link or a thing that has ended for good
    └── Unavailable             503  an outside service or the database asks us to come back

`message` is translated, fit for a guest's eyes, and says what to do next. `code` is for machines.
"""

from collections.abc import Mapping


class DomainError(Exception):
    """A refusal with a sentence for a person and a code for a program."""

    code: str = "error"
    status: int = 500

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fields: dict[str, str] = dict(fields or {})
        if code is not None:
            self.code = code


class NotFound(DomainError):
    """The thing is absent or belongs to someone else; a stranger cannot tell which."""

    code = "not_found"
    status = 404


class Conflict(DomainError):
    """The world moved on between reading and writing."""

    code = "conflict"
    status = 409


class InvalidInput(DomainError):
    """What was typed cannot be used; `fields` maps form fields to sentences."""

    code = "invalid_input"
    status = 422


class NotAllowed(DomainError):
    """The person is known but the role does not reach this far."""

    code = "not_allowed"
    status = 403


class SignInRequired(DomainError):
    """Nobody is signed in."""

    code = "sign_in_required"
    status = 401


class Gone(DomainError):
    """A link or a thing that has ended for good."""

    code = "gone"
    status = 410


class Unavailable(DomainError):
    """Something outside, or the database under load, asks for another try later."""

    code = "unavailable"
    status = 503


class PlanLimitReached(DomainError):
    """The tenant's plan does not reach this far.

    `guest_safe` messages go to strangers; the feature, the current plan, the cheapest plan that has
    it and the bolt-on that has it for less go to members and to the API.
    """

    code = "plan_limit_reached"
    status = 402

    def __init__(
        self,
        message: str,
        *,
        feature: str | None = None,
        limit: str | None = None,
        current_plan: str = "",
        cheapest_plan: str | None = None,
        cheapest_bolt_on: str | None = None,
    ) -> None:
        super().__init__(message)
        self.feature = feature
        self.limit = limit
        self.current_plan = current_plan
        self.cheapest_plan = cheapest_plan
        self.cheapest_bolt_on = cheapest_bolt_on


class TooManyRequests(DomainError):
    """Asked too often; `retry_after_seconds` says how long to wait."""

    code = "too_many_requests"
    status = 429

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
