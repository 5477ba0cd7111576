"""What the database refuses is said in words."""

import pytest
from sqlalchemy import text

from src.platform.db.uow import UowFactory
from src.platform.errors import InvalidInput

pytestmark = pytest.mark.anyio


async def test_a_text_that_cannot_be_stored_is_the_typists_mistake(
    uow_factory: UowFactory,
) -> None:
    with pytest.raises(InvalidInput, match="cannot be stored"):
        async with uow_factory(None) as uow:
            await uow.session.execute(
                text("SELECT 1 FROM tenants WHERE slug = :slug"), {"slug": "zoe\x00"}
            )
