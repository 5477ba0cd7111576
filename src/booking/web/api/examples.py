"""One example of each body and of each refusal; a test reads every body with its own type."""

from typing import Any

from src.booking.web.api.refusals import problem_example

SERVICE = "01991c5a-7b1e-7c30-8a55-3f0f7d1c2b01"
SESSION = "01991c5a-7b1e-7c30-8a55-3f0f7d1c2b02"
SERIES = "01991c5a-7b1e-7c30-8a55-3f0f7d1c2b03"
SEAT = "01991c5a-7b1e-7c30-8a55-3f0f7d1c2b04"

BODIES: dict[str, dict[str, Any]] = {
    "ServiceIn": {
        "name": "Yoga",
        "sales_mode": "both",
        "price_type": "on_site",
        "price_minor": 1500,
        "price_tiers": [{"name": "Child", "price_minor": 800}],
        "duration_minutes": 60,
        "default_capacity": 12,
        "leaving": {"tiers": [{"before": 2, "unit": "days", "percent": 100}], "moves_before": 24},
    },
    "SessionIn": {
        "service_id": SERVICE,
        "starts_at": "2027-05-14T18:00:00+02:00",
        "ends_at": "2027-05-14T19:00:00+02:00",
        "capacity": 12,
        "tags": ["beginners"],
    },
    "SeriesIn": {
        "service_id": SERVICE,
        "title": "Spring term",
        "price_type": "online",
        "price_minor": 6000,
        "price_tiers": [
            {"name": "Early bird", "price_minor": 5000, "until_on": "2027-04-30"},
        ],
        "join_policy": "until",
        "join_until_on": "2027-05-28",
        "tags": ["beginners"],
        "takes_credits": True,
        "session_ids": [SESSION],
    },
    "SessionChange": {
        "starts_at": "2027-05-15T18:00:00+02:00",
        "ends_at": "2027-05-15T19:00:00+02:00",
        "move_guests": True,
        "reason": "The hall is closed on Friday.",
    },
    "ServiceChange": {"name": "Yoga for everybody", "price_minor": 1600},
    "SeriesChange": {
        "title": "Summer term",
        "drop_in_allowed": True,
        "drop_in_minor": None,
        "drop_in_opens_before": 3,
        "drop_in_opens_unit": "days",
        "drop_in_pays": ["online", "on_site"],
    },
    "DropInIn": {"allowed": True, "price_minor": 1200, "pays": ["on_site"]},
    "SeatsIn": {"seat_ids": [SEAT]},
    "SeatMoveIn": {"seat_id": SEAT, "to_session_id": SESSION, "reason": "As you asked."},
    "CancelIn": {"reason": "The teacher is ill.", "returns": {"all": "terms", "each": []}},
    "BookingIn": {
        "kind": "series",
        "id": SERIES,
        "guest_name": "Carl",
        "guest_email": "carl@example.com",
        "party": ["Carl", "Dora"],
        "expected_total_minor": 12000,
    },
}

KEY = "order-2027-0514"

REFUSALS: dict[int, dict[str, Any]] = {
    400: problem_example(
        400,
        "bad_request",
        "Please look at the marked fields.",
        errors={"kind": "Invalid enum value 'course'"},
    ),
    401: problem_example(401, "no_api_key", "Send an API key: Authorization: Bearer sl_..."),
    402: problem_example(
        402,
        "plan_limit_reached",
        "Your plan does not have this.",
        feature="series",
        current_plan="Starter",
        cheapest_plan="Growth",
        cheapest_bolt_on=None,
    ),
    403: problem_example(403, "not_allowed", "This business is not available at present."),
    404: problem_example(404, "not_found", "There is no such session."),
    409: problem_example(409, "full", "This is sold out."),
    422: problem_example(
        422,
        "invalid_input",
        "Please look at the marked fields.",
        errors={"ends_at": "The end is not after the start."},
    ),
    429: problem_example(429, "too_many_requests", "Please wait a little and try again."),
    503: problem_example(503, "unavailable", "Please try again in a moment."),
}
