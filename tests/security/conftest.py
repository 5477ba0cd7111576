"""Two businesses, and one of everything of each."""

import pytest
from litestar import Litestar

from src.platform.services import Services
from tests.security.everything import everything
from tests.support.builders import Business, a_business
from tests.support.shared_app import app_for


@pytest.fixture
def app(services: Services) -> Litestar:
    return app_for(services)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def rival(services: Services) -> Business:
    return await a_business(services.uow_factory, "rival", owner="Eve")


@pytest.fixture
async def theirs(services: Services, lotus: Business) -> dict[str, object]:
    """Everything of lotus, which is none of Eve's business."""
    return await everything(services, lotus)


@pytest.fixture
async def own(services: Services, rival: Business) -> dict[str, object]:
    """Everything of Eve's own business."""
    return await everything(services, rival)
