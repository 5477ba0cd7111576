"""What the logs say of an act, in words."""

from src.tenants.web.audit_words import log_sentence, platform_sentence


def test_a_changed_session_is_named() -> None:
    detail = {"of": "Flow, 2027-04-05 18:00", "changed": ["ends_at", "location_id"]}
    said = log_sentence("session.changed", detail)
    assert said.startswith("Changed a session: “Flow, 2027-04-05 18:00”, end, ")


def test_who_became_part_of_whom_is_named() -> None:
    detail = {"name": "Ida Isle", "gone": {"name": "Ida I.", "email": None}}
    said = log_sentence("customer.merged", detail)
    assert said == "Merged two customers: “Ida Isle”, with “Ida I.”"


def test_the_desk_reads_words_and_no_names_of_programs() -> None:
    assert platform_sentence("tenant.moved") == "Moved a business to a plan"
    assert platform_sentence("outbox.row_parked") == "Outbox row parked"
