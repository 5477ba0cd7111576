"""Businesses for journeys that begin later than sign-up, in a program that runs."""

from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import update

from src.booking.domain.quotes import SubjectKind
from src.platform.ids import new_id
from src.platform.passwords import hash_password
from src.platform.services import Services
from src.tenants.models import User
from tests.support.builders import (
    PASSWORD,
    Business,
    Term,
    a_business,
    a_series,
    a_service,
    as_guest,
)
from tests.support.program import Program


def staged(
    program: Program, slug: str, *, plan: str = "scale", paid: bool = True, **more: Any
) -> Business:
    """A business whose owner can sign in with PASSWORD; `paid`: Stripe is connected."""

    async def stage(services: Services) -> Business:
        business = await a_business(
            services.uow_factory, slug, plan=plan, payments_ready=False, **more
        )
        hashed = await hash_password(PASSWORD)
        async with services.uow_factory(None) as uow:
            await uow.session.execute(
                update(User).where(User.id == business.owner.id).values(password_hash=hashed)
            )
        if paid:
            await _connect(program, services, business)
        return business

    found: Business = program.run(stage)
    return found


async def _connect(program: Program, services: Services, business: Business) -> None:
    from src.billing.commands.connect import connect_account, refresh_account

    back = f"{program.base_url}/app/{business.slug}/payments"
    link = await connect_account(services, business.ctx, refresh_url=back, return_url=back)
    async with httpx.AsyncClient(timeout=30) as browser:
        await browser.post(link, data={"decision": "finish"})
    await refresh_account(services, business.id)


def a_term(program: Program, business: Business, *, dates: int = 3, **more: Any) -> Term:
    """A service sold both ways and its series, at EUR 15 a date and EUR 60 for all."""

    async def stage(services: Services) -> Term:
        service = await a_service(services.uow_factory, business.id, **more)
        return await a_series(services.uow_factory, service, sessions=dates, drop_in_allowed=True)

    found: Term = program.run(stage)
    return found


def books(
    program: Program, business: Business, kind: SubjectKind, subject_id: UUID, *party: str
) -> str:
    """Who comes first books on the hub for them all, and pays later or nothing.

    Returns the address that the mail goes to.
    """
    email = f"{party[0].split()[0].lower()}@{business.slug}.example"

    async def stage(services: Services) -> None:
        from src.booking.commands.book import BookCommand, book

        wish = BookCommand(
            kind=kind,
            subject_id=subject_id,
            party=party,
            guest_name=party[0],
            guest_email=email,
            form_token=str(new_id()),
        )
        async with services.uow_factory(business.id) as uow:
            await book(uow, as_guest(business), wish)

    program.run(stage)
    return email
