"""What the logs say of an act, in words."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from src.tenants.log_subjects import LogSubject
from src.tenants.web.audit_words import Around, log_sentence, platform_sentence, tell

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HERE = Around(AMSTERDAM, currency="EUR")
FLOW = LogSubject(
    "Flow",
    "sessions/1",
    starts_at=datetime(2027, 4, 6, 16, tzinfo=UTC),
    moves=((datetime(2027, 4, 1, tzinfo=UTC), datetime(2027, 4, 5, 16, tzinfo=UTC)),),
)


def test_an_older_entry_of_a_session_that_is_gone_names_it() -> None:
    detail = {"of": "Flow, 2027-04-05 18:00", "changed": ["ends_at", "location_id"]}
    said = log_sentence("session.changed", detail, HERE)
    assert said == "Changed a session: “Flow · Mon, Apr 5, 2027, 6:00\u202fPM”, Ends, Place"


def test_a_session_is_named_by_when_it_was_then() -> None:
    when = {"was": ["2027-04-05T16:00:00+00:00"], "became": ["2027-04-06T16:00:00+00:00"]}
    detail = {"of": "Flow", "changed": ["capacity", "starts_at"], **when}
    around = Around(AMSTERDAM, datetime(2027, 4, 1, tzinfo=UTC), kind="session", subject=FLOW)
    told = tell("session.changed", detail, around)
    assert told.which == "Flow · Mon, Apr 5, 2027, 6:00\u202fPM"
    assert told.more == ["Seats", "Starts", "→ Tue, Apr 6, 2027, 6:00\u202fPM"]
    before = around._replace(at=datetime(2027, 3, 31, tzinfo=UTC))
    assert tell("session.cancelled", {}, before).which == "Flow · Mon, Apr 5, 2027, 6:00\u202fPM"
    assert tell("session.cancelled", {}, around).which == "Flow · Tue, Apr 6, 2027, 6:00\u202fPM"


def test_money_is_said() -> None:
    order = LogSubject("ABC-123 · Carl", "orders/1")
    around = HERE._replace(kind="order", subject=order)
    asked = log_sentence("order.refund_asked", {"amount_minor": 1500}, around)
    assert asked == "Asked for a refund: ABC-123 · Carl, €15.00"
    back = {"amount_minor": 1500, "seats": ["a", "b"], "reason": "Ill", "money": "card"}
    places = HERE._replace(kind="session", subject=FLOW)
    assert tell("seats.cancelled", back, places).more == ["2 places", "€15.00 back", "Ill"]


def test_programs_words_are_not_shown() -> None:
    named = HERE._replace(plans={"scale": "Scale"})
    assert log_sentence("plan.moved", {"plan": "scale v1"}, named).endswith("a plan: “Scale”")
    mail = log_sentence("mail.worded", {"name": "seats_cancelled", "language": "en"}, HERE)
    assert mail == "Changed the words of a mail: “Cancelled dates”"
    role = log_sentence("member.role_changed", {"before": "owner", "after": "manager"}, HERE)
    assert role.endswith(": owner → manager")
    granted = log_sentence("plan.granted", {"feature": "waitlist", "limit": None}, HERE)
    assert granted.endswith(": Waiting lists"), granted


def test_how_many_sessions_came_is_said() -> None:
    flow = HERE._replace(kind="service", subject=LogSubject("Flow", "services/1/edit"))
    said = log_sentence("sessions.repeated", {"count": 24, "first": "2027-04-05"}, flow)
    assert said == "Published sessions that repeat: Flow, 24 sessions"


def test_who_became_part_of_whom_is_named() -> None:
    detail = {"name": "Ida Isle", "gone": {"name": "Ida I.", "email": None}}
    said = log_sentence("customer.merged", detail, HERE)
    assert said == "Merged two customers: “Ida Isle”, with “Ida I.”"


def test_the_desk_reads_words_and_no_names_of_programs() -> None:
    assert platform_sentence("tenant.moved") == "Moved a business to a plan"
    assert platform_sentence("outbox.row_parked") == "Outbox row parked"
