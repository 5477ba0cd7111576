"""Fixtures of billing's tests."""

import pytest

from src.platform.db.uow import UowFactory
from tests.billing.support import Business, make_business
from tests.support.clock import FrozenClock


@pytest.fixture
async def business(uow_factory: UowFactory, clock: FrozenClock) -> Business:
    return await make_business(uow_factory, clock.now())
