"""Links and codes in old mails live through a change of the secret that signs them."""

from datetime import UTC, datetime

import msgspec
import pytest

from src.billing.models import Order
from src.booking.check_in_codes import check_in_code, order_of_code
from src.booking.guest_links import booking_path, order_behind
from src.platform.config import Settings
from src.platform.errors import DomainError
from src.platform.ids import new_id
from src.sandbox.postgres import Role
from tests.support.settings import settings_for

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def before() -> Settings:
    urls = dict.fromkeys(Role, "postgresql://app@127.0.0.1:1/none")
    return settings_for(urls, "redis://127.0.0.1:1/0")


@pytest.fixture
def order() -> Order:
    return Order(tenant_id=new_id(), id=new_id(), created_at=NOW)


def test_what_the_former_secret_signed_is_read(before: Settings, order: Order) -> None:
    after = msgspec.structs.replace(
        before, secret_key="n" * 32, former_secret_keys=(before.secret_key,)
    )
    token = booking_path(before, "lotus", order).rpartition("/")[2]
    code = check_in_code(before, order)
    assert order_behind(after, token, order.tenant_id, NOW).order_id == order.id
    assert order_of_code(after, order.tenant_id, code) == order.id
    assert check_in_code(after, order) != code, "the new secret signs"


def test_a_secret_that_was_dropped_is_worth_nothing(before: Settings, order: Order) -> None:
    after = msgspec.structs.replace(before, secret_key="n" * 32)
    token = booking_path(before, "lotus", order).rpartition("/")[2]
    with pytest.raises(DomainError):
        order_behind(after, token, order.tenant_id, NOW)
    with pytest.raises(DomainError):
        order_of_code(after, order.tenant_id, check_in_code(before, order))
