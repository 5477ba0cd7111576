"""The team: nobody reaches above themselves, an owner stays, and the plan's places are counted."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.platform.db.uow import UnitOfWork, UowFactory
from src.platform.errors import (
    Conflict,
    DomainError,
    Gone,
    InvalidInput,
    NotAllowed,
    NotFound,
    PlanLimitReached,
)
from src.tenants.commands import team
from src.tenants.commands.invitations import (
    InviteMember,
    accept_invitation,
    invite_member,
    join_as_new_user,
    resend_invitation,
    revoke_invitation,
)
from src.tenants.commands.team import ChangeMember, change_member, remove_member
from src.tenants.domain.roles import Role, may_make
from src.tenants.models import AuditEntry, Member, Performer, User
from tests.booking.commands.places import a_performer
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_member, a_user
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio

IVAN = InviteMember(email=" Ivan@Example.com", role=Role.INSTRUCTOR)


async def invited(factory: UowFactory, business: Business, cmd: InviteMember = IVAN) -> UUID:
    async with factory(business.id) as uow:
        return await invite_member(uow, business.ctx, cmd)


async def accepted(factory: UowFactory, business: Business, invitation: UUID, user: User) -> None:
    async with factory(business.id) as uow:
        await accept_invitation(uow, invitation, user.id)


async def member_of(factory: UowFactory, business: Business, user_id: UUID | None) -> Member | None:
    async with factory(business.id) as uow:
        found: Member | None = await uow.session.scalar(
            select(Member).where(Member.tenant_id == business.id, Member.user_id == user_id)
        )
    return found


async def actions(factory: UowFactory, business: Business) -> list[str]:
    async with factory(business.id) as uow:
        return list(await uow.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


@pytest.mark.parametrize(
    ("actor", "may"),
    [
        (Role.OWNER, {Role.OWNER, Role.MANAGER, Role.INSTRUCTOR}),
        (Role.MANAGER, {Role.MANAGER, Role.INSTRUCTOR}),
        (Role.INSTRUCTOR, set()),
        (None, set()),
    ],
)
def test_nobody_gives_a_role_above_their_own(actor: Role | None, may: set[Role]) -> None:
    assert {role for role in Role if may_make(actor, role)} == may


async def test_an_invitation_makes_a_member_once(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    performer = await a_performer(uow_factory, business)
    cmd = InviteMember(email="ivan@example.com", role=Role.MANAGER, performer_id=performer.id)
    invitation = await invited(uow_factory, business, cmd)
    ivan = await a_user(uow_factory, "Ivan", email_confirmed_at=None)
    await accepted(uow_factory, business, invitation, ivan)
    member = await member_of(uow_factory, business, ivan.id)
    assert member is not None
    assert member.role == "manager"
    async with uow_factory(business.id) as uow:
        linked = await uow.session.get_one(Performer, (business.id, performer.id))
        user = await uow.session.get_one(User, ivan.id)
        assert linked.user_id == ivan.id
        assert user.email_confirmed_at is not None
    with pytest.raises(Gone):
        await accepted(uow_factory, business, invitation, ivan)
    assert await actions(uow_factory, business) == ["member.invited", "member.joined"]


async def test_somebody_new_gets_an_account_with_the_address_invited(
    uow_factory: UowFactory,
) -> None:
    business = await a_business(uow_factory)
    invitation = await invited(uow_factory, business)
    async with uow_factory(business.id) as uow:
        user_id = await join_as_new_user(uow, invitation, " Ivan  Iris ", "hash", "en")
    async with uow_factory(None) as uow:
        user = await uow.session.get_one(User, user_id)
    assert (user.email, user.name) == ("ivan@example.com", "Ivan Iris")
    assert await member_of(uow_factory, business, user_id) is not None


async def test_an_invitation_lets_in_nobody_but_the_address(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    invitation = await invited(uow_factory, business)
    eve = await a_user(uow_factory, "Eve")
    with pytest.raises(NotAllowed):
        await accepted(uow_factory, business, invitation, eve)
    rival = await a_business(uow_factory, "rival", owner="Rita")
    ivan = await a_user(uow_factory, "Ivan")
    with pytest.raises(Gone):
        await accepted(uow_factory, rival, invitation, ivan)


async def test_one_that_is_over_or_taken_back_opens_nothing_and_one_sent_again_does(
    uow_factory: UowFactory, clock: FrozenClock
) -> None:
    business = await a_business(uow_factory)
    ivan = await a_user(uow_factory, "Ivan")
    invitation = await invited(uow_factory, business)
    with pytest.raises(InvalidInput) as refused:
        await invited(uow_factory, business)
    assert "already" in refused.value.fields["email"]
    clock.advance(timedelta(days=7))
    with pytest.raises(Gone):
        await accepted(uow_factory, business, invitation, ivan)
    async with uow_factory(business.id) as uow:
        assert await resend_invitation(uow, business.ctx, invitation) == "ivan@example.com"
    async with uow_factory(business.id) as uow:
        await revoke_invitation(uow, business.ctx, invitation)
    with pytest.raises(Gone):
        await accepted(uow_factory, business, invitation, ivan)
    again = await invited(uow_factory, business)
    clock.advance(timedelta(days=8))
    third = await invited(uow_factory, business)
    assert third != again, "one that is over makes way"
    await accepted(uow_factory, business, third, ivan)
    with pytest.raises(InvalidInput) as refused:
        await invited(uow_factory, business)
    assert "in your team" in refused.value.fields["email"]


async def test_open_invitations_take_places_of_the_plan(
    uow_factory: UowFactory, clock: FrozenClock
) -> None:
    """Starter has three: the owner, and two more."""
    business = await a_business(uow_factory, plan="starter")
    first = await invited(uow_factory, business)
    await invited(uow_factory, business, InviteMember(email="b@x.example", role=Role.MANAGER))
    third = InviteMember(email="c@x.example", role=Role.MANAGER)
    with pytest.raises(PlanLimitReached) as refused:
        await invited(uow_factory, business, third)
    assert refused.value.limit == "members"
    assert refused.value.cheapest_plan == "Growth"
    async with uow_factory(business.id) as uow:
        await revoke_invitation(uow, business.ctx, first)
    await invited(uow_factory, business, third)
    clock.advance(timedelta(days=8))
    await invited(uow_factory, business)


async def test_a_plan_that_shrank_lets_nobody_more_in(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory, plan="starter")
    invitation = await invited(uow_factory, business)
    for name in ("Mia", "Max"):
        await a_member(uow_factory, business, name, Role.MANAGER)
    ivan = await a_user(uow_factory, "Ivan")
    with pytest.raises(Conflict) as refused:
        await accepted(uow_factory, business, invitation, ivan)
    assert refused.value.code == "team_full"


async def test_a_manager_neither_makes_nor_changes_owners(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    mia = await a_member(uow_factory, business, "Mia", Role.MANAGER)
    owner = await member_of(uow_factory, business, business.owner.id)
    own = await member_of(uow_factory, business, mia.user_id)
    assert owner is not None
    assert own is not None

    async def tries(act: Callable[[UnitOfWork], Awaitable[object]]) -> None:
        with pytest.raises(NotAllowed):
            async with uow_factory(business.id) as uow:
                await act(uow)

    boss = InviteMember(email="x@x.example", role=Role.OWNER)
    await tries(lambda uow: invite_member(uow, mia, boss))
    demoted = ChangeMember(member_id=owner.id, role=Role.MANAGER)
    await tries(lambda uow: change_member(uow, mia, demoted))
    risen = ChangeMember(member_id=own.id, role=Role.OWNER)
    await tries(lambda uow: change_member(uow, mia, risen))
    await tries(lambda uow: remove_member(uow, mia, owner.id))


async def test_the_last_owner_stays(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    owner = await member_of(uow_factory, business, business.owner.id)
    assert owner is not None
    for act in (
        lambda uow: change_member(
            uow, business.ctx, ChangeMember(member_id=owner.id, role=Role.MANAGER)
        ),
        lambda uow: remove_member(uow, business.ctx, owner.id),
    ):
        with pytest.raises(Conflict) as refused:
            async with uow_factory(business.id) as uow:
                await act(uow)
        assert refused.value.code == "last_owner"


async def test_a_member_of_another_business_does_not_exist(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    rival = await a_business(uow_factory, "rival", owner="Eve")
    eve = await member_of(uow_factory, rival, rival.owner.id)
    assert eve is not None
    with pytest.raises(NotFound):
        async with uow_factory(business.id) as uow:
            await remove_member(uow, business.ctx, eve.id)


async def test_a_performer_is_one_member_and_free_again_when_they_leave(
    uow_factory: UowFactory,
) -> None:
    business = await a_business(uow_factory)
    performer = await a_performer(uow_factory, business)
    ids = {}
    for name in ("Ivan", "Mia"):
        ctx = await a_member(uow_factory, business, name, Role.INSTRUCTOR)
        member = await member_of(uow_factory, business, ctx.user_id)
        assert member is not None
        ids[name] = member.id

    async def link(name: str) -> None:
        cmd = ChangeMember(member_id=ids[name], role=Role.INSTRUCTOR, performer_id=performer.id)
        async with uow_factory(business.id) as uow:
            await change_member(uow, business.ctx, cmd)

    await link("Ivan")
    with pytest.raises(InvalidInput) as refused:
        await link("Mia")
    assert "another member" in refused.value.fields["performer_id"]
    async with uow_factory(business.id) as uow:
        await remove_member(uow, business.ctx, ids["Ivan"])
    await link("Mia")
    found = await actions(uow_factory, business)
    assert found == ["member.linked", "member.removed", "member.linked"]


async def both(
    committing: Committing, business: Business, *acts: Callable[[UnitOfWork], Awaitable[object]]
) -> list[DomainError | None]:
    """Runs the acts at once. Returns what each came to."""

    async def run(act: Callable[[UnitOfWork], Awaitable[object]]) -> DomainError | None:
        try:
            async with committing.uow_factory(business.id) as uow:
                await act(uow)
        except DomainError as refusal:
            return refusal
        return None

    return list(await asyncio.gather(*(run(act) for act in acts)))


async def two_owners(committing: Committing) -> tuple[Business, list[UUID]]:
    business = await a_business(committing.uow_factory)
    second = await a_member(committing.uow_factory, business, "Otto", Role.OWNER)
    found = [
        await member_of(committing.uow_factory, business, user_id)
        for user_id in (business.owner.id, second.user_id)
    ]
    return business, [member.id for member in found if member is not None]


async def owners_left(committing: Committing, business: Business) -> int:
    async with committing.uow_factory(business.id) as uow:
        owners = await uow.session.scalars(
            select(Member.id).where(Member.tenant_id == business.id, Member.role == "owner")
        )
        return len(owners.all())


async def each_ends_an_owner(committing: Committing) -> int:
    """How many owners are left when one is demoted and the other removed at the same moment."""
    business, (first, second) = await two_owners(committing)
    demoted = ChangeMember(member_id=first, role=Role.MANAGER)
    await both(
        committing,
        business,
        lambda uow: change_member(uow, business.ctx, demoted),
        lambda uow: remove_member(uow, business.ctx, second),
    )
    return await owners_left(committing, business)


@pytest.mark.race
async def test_of_two_owners_who_end_each_other_one_stays(committing: Committing) -> None:
    assert await each_ends_an_owner(committing) == 1


@pytest.mark.race
async def test_without_the_hold_on_the_team_nobody_stays(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: both look, both see another owner, both go on."""
    barrier = asyncio.Barrier(2)

    async def look(uow: UnitOfWork) -> None:
        await check(uow)
        await barrier.wait()

    async def no_hold(uow: UnitOfWork) -> None:
        return None

    check = team._check_another_owner
    monkeypatch.setattr(team, "_check_another_owner", look)
    monkeypatch.setattr(team, "hold_team", no_hold)
    assert await each_ends_an_owner(committing) == 0


@pytest.mark.race
async def test_the_plans_last_place_is_given_once(committing: Committing) -> None:
    business = await a_business(committing.uow_factory, plan="starter")
    await a_member(committing.uow_factory, business, "Mia", Role.MANAGER)

    def invite(number: int) -> Callable[[UnitOfWork], Awaitable[object]]:
        cmd = InviteMember(email=f"i{number}@x.example", role=Role.INSTRUCTOR)
        return lambda uow: invite_member(uow, business.ctx, cmd)

    outcomes = await both(committing, business, *(invite(number) for number in range(6)))
    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, PlanLimitReached) for outcome in outcomes) == 5


@pytest.mark.race
async def test_a_link_followed_twice_at_once_makes_one_member(committing: Committing) -> None:
    business = await a_business(committing.uow_factory)
    invitation = await invited(committing.uow_factory, business)

    def join(number: int) -> Callable[[UnitOfWork], Awaitable[object]]:
        return lambda uow: join_as_new_user(uow, invitation, f"Ivan {number}", "hash", "en")

    outcomes = await both(committing, business, *(join(number) for number in range(4)))
    assert sum(outcome is None for outcome in outcomes) == 1
