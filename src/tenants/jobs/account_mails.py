"""Mails to users about their accounts. The links are signed when the mail is composed."""

from typing import Any
from uuid import UUID

import msgspec

from src.platform.jobs.context import JobContext
from src.platform.links import LinkSigner
from src.platform.mail.queue import Mail, queue_mail
from src.platform.mail.templates import render_mail
from src.tenants.commands.accounts import find_user_by_email, tail_of
from src.tenants.commands.sign_ups import find_sign_up
from src.tenants.domain import link_purposes
from src.tenants.events import EmailToConfirm, PasswordForgotten, SignUpAsked
from src.tenants.models import SignUp, User


class AccountMailView(msgspec.Struct, frozen=True, kw_only=True):
    """What the account mails say; `url` is where their button leads."""

    locale: str
    from_name: str
    name: str
    url: str


async def send_confirmation_link(job: JobContext, event: EmailToConfirm) -> None:
    async with job.unit_of_work(done=True) as uow:
        user = await uow.session.get(User, event.user_id)
        if user is None or user.email_confirmed_at is not None:
            return
        payload = {"user": str(user.id), "email": user.email}
        path = f"/confirm-email/{_sign(job, link_purposes.CONFIRM_EMAIL, payload)}"
        await _queue(job, uow, "confirm_email", user, path, event.asked_id)


async def send_reset_link(job: JobContext, event: PasswordForgotten) -> None:
    async with job.unit_of_work(done=True) as uow:
        user = await find_user_by_email(uow, event.email)
        if user is None:
            return
        payload = {"user": str(user.id), "tail": tail_of(user.password_hash)}
        path = f"/password/reset/{_sign(job, link_purposes.RESET_PASSWORD, payload)}"
        await _queue(job, uow, "reset_password", user, path, event.asked_id)


async def answer_sign_up(job: JobContext, event: SignUpAsked) -> None:
    """A link that finishes it, or to a user's address that there is an account already."""
    async with job.unit_of_work(done=True) as uow:
        asked = await find_sign_up(uow, event.sign_up_id)
        if asked is None:
            return
        user = await find_user_by_email(uow, asked.email)
        if user is not None:
            await _queue(job, uow, "known_address", user, "/sign-in", event.asked_id)
            return
        payload = {"sign_up": str(asked.id), "email": asked.email}
        path = f"/confirm-email/business/{_sign(job, link_purposes.FINISH_SIGN_UP, payload)}"
        await _queue(job, uow, "finish_sign_up", asked, path, event.asked_id)


def _sign(job: JobContext, purpose: str, payload: dict[str, Any]) -> str:
    signer = LinkSigner(job.services.settings.secret_keys)
    return signer.sign(purpose, payload, job.clock.now())


async def _queue(
    job: JobContext, uow: Any, name: str, user: User | SignUp, path: str, occasion: UUID
) -> None:
    settings = job.services.settings
    view = AccountMailView(
        locale=user.locale, from_name="Seatline", name=user.name, url=settings.base_url + path
    )
    rendered = render_mail(f"tenants/{name}", view, user.locale)
    mail = Mail(
        kind=name,
        to_address=user.email,
        to_name=user.name,
        from_name="Seatline",
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        dedupe_key=f"{name}:{occasion}",
    )
    await queue_mail(uow, mail, host=settings.host)
