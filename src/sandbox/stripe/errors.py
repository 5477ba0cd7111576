"""The errors of the API in the shape, words and status codes that Stripe uses."""

from typing import Any


class ApiError(Exception):
    """One error answer. `saved` tells whether an idempotency key keeps it: parameters that were
    refused before the work began are not kept, so that a corrected call may use the key again.
    `about` are objects that the error is about. Raised, it undoes the work; a handler returns one
    instead where a card was declined, since the attempt itself is kept.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        decline_code: str | None = None,
        saved: bool = True,
        about: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.decline_code = decline_code
        self.saved = saved
        self.about = about or {}

    def body(self) -> dict[str, Any]:
        error = {
            "type": self.kind,
            "code": self.code,
            "decline_code": self.decline_code,
            "param": self.param,
            "message": self.message,
        }
        told = {name: value for name, value in error.items() if value is not None}
        return {"error": told | self.about}


class ConformanceError(Exception):
    """An answer of this program does not have the shape that the stripe library declares."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems[:10]))
        self.problems = problems


def unknown_parameter(name: str) -> ApiError:
    return ApiError(
        f"Received unknown parameter: {name}", code="parameter_unknown", param=name, saved=False
    )


def missing_parameter(name: str) -> ApiError:
    return ApiError(
        f"Missing required param: {name}.", code="parameter_missing", param=name, saved=False
    )


def invalid_parameter(name: str, message: str, code: str | None = None) -> ApiError:
    return ApiError(message, code=code, param=name, saved=False)


def empty_parameter(name: str) -> ApiError:
    message = (
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset "
        f"a parameter; however '{name}' cannot be unset. You should remove '{name}' from your "
        "request or supply a non-empty value."
    )
    return invalid_parameter(name, message, "parameter_invalid_empty")


def beyond_the_sandbox(name: str) -> ApiError:
    """Stripe knows the parameter and this program does not: better a loud no than a silent skip."""
    return ApiError(
        f"The local stand-in for Stripe does not do `{name}`.",
        code="sandbox_unsupported",
        param=name,
        saved=False,
    )


def no_such(kind: str, object_id: str, param: str = "id") -> ApiError:
    return ApiError(
        f"No such {kind}: '{object_id}'", status=404, code="resource_missing", param=param
    )


def no_such_route(method: str, path: str) -> ApiError:
    return ApiError(
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we "
        "can help at https://support.stripe.com/.",
        status=404,
        saved=False,
    )
