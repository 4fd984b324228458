"""Mails about accounts.

Every attempt at a job has the same Message-ID, by which mail programs recognise a second copy.
"""

from datetime import timedelta

from sqlalchemy import SQLColumnExpression, func, select

from app.db.session import Session
from app.jobs.kinds import JobContext, JobKind
from app.models.one_time_token import OneTimeToken, Purpose
from app.models.user import User
from app.observability.security_log import SecurityEvent, record
from app.schemas.mail import (
    AccountNotice,
    SendAccountNotice,
    SendChangeEmailMail,
    SendResetPasswordMail,
    SendVerifyEmailMail,
)
from app.services.one_time_tokens import issue_token

MOST_RESET_LINKS = 3
"""Links of one account that may be valid at the same time. A further mail would add nothing: the owner has those."""


async def send_verify_email(job: SendVerifyEmailMail, context: JobContext) -> None:
    """Send the link, unless the address is verified already or the account is gone."""
    lifetime = timedelta(hours=context.resources.settings.verify_email_expire_hours)
    async with context.resources.database.unit_of_work() as db:
        user = await _lock(db, User.id == job.user_id, ~User.is_verified)
        if user is None:
            return
        _, token = await issue_token(db, user.id, Purpose.VERIFY_EMAIL, user.email, lifetime)
    await _send_link(context, Purpose.VERIFY_EMAIL, user.email, token, lifetime)


async def send_change_email(job: SendChangeEmailMail, context: JobContext) -> None:
    """Send the link to the new address, unless the request was cancelled."""
    lifetime = timedelta(hours=context.resources.settings.verify_email_expire_hours)
    async with context.resources.database.unit_of_work() as db:
        user = await _lock(db, User.id == job.user_id)
        request = await db.scalar(select(OneTimeToken.id).where(OneTimeToken.id == job.request_id))
        if user is None or request is None:
            return
        _, token = await issue_token(db, user.id, Purpose.CHANGE_EMAIL, job.email, lifetime)
    await _send_link(context, Purpose.CHANGE_EMAIL, job.email, token, lifetime)


async def send_reset_password(job: SendResetPasswordMail, context: JobContext) -> None:
    """Send the link, if the account exists, is active and does not have several valid links."""
    lifetime = timedelta(minutes=context.resources.settings.reset_password_expire_minutes)
    async with context.resources.database.unit_of_work() as db:
        user = await _lock(db, User.email == job.email, User.is_active)
        if user is None:
            return
        if await _count_reset_links(db, user) >= MOST_RESET_LINKS:
            record(SecurityEvent.RESET_LIMITED, user_id=user.id)
            return
        _, token = await issue_token(db, user.id, Purpose.RESET_PASSWORD, user.email, lifetime)
    await _send_link(context, Purpose.RESET_PASSWORD, user.email, token, lifetime, full_name=_greeting(user))


async def send_account_notice(job: SendAccountNotice, context: JobContext) -> None:
    """Send a notice. One about failed logins has a link to reset the password, regardless of the limit on those."""
    lifetime = timedelta(minutes=context.resources.settings.reset_password_expire_minutes)
    link = None
    if job.notice is AccountNotice.LOGIN_ATTEMPTS:
        async with context.resources.database.unit_of_work() as db:
            user = await _lock(db, User.email == job.email, User.is_active)
            if user is None:
                return
            _, token = await issue_token(db, user.id, Purpose.RESET_PASSWORD, user.email, lifetime)
        link = _link_to(context, Purpose.RESET_PASSWORD, token)
    values = {"notice": job.notice, "link": link, "minutes": lifetime.total_seconds() / 60}
    await _send(context, "account_notice", job.email, **values)


async def _lock(db: Session, *conditions: SQLColumnExpression[bool]) -> User | None:
    """Lock an account while a token is issued for it; code that invalidates tokens takes the same lock first."""
    statement = select(User).where(*conditions).with_for_update(key_share=True)
    return (await db.scalars(statement)).one_or_none()


async def _count_reset_links(db: Session, user: User) -> int:
    statement = select(func.count()).where(
        OneTimeToken.user_id == user.id,
        OneTimeToken.purpose == Purpose.RESET_PASSWORD,
        OneTimeToken.expires_at > func.now(),
    )
    return await db.scalar(statement) or 0


def _greeting(user: User) -> str | None:
    """Return the name to greet by; None if the address is unverified: anyone could have chosen that name."""
    return user.full_name if user.is_verified else None


def _link_to(context: JobContext, purpose: Purpose, token: str) -> str:
    # Not from a Host header, and behind the #, where no server and no Referer sees the token.
    return f"{context.resources.settings.link_base}/{purpose.replace('_', '-')}#token={token}"


async def _send_link(
    context: JobContext, purpose: Purpose, to: str, token: str, lifetime: timedelta, *, full_name: str | None = None
) -> None:
    link, hours = _link_to(context, purpose, token), lifetime.total_seconds() / 3600
    await _send(context, purpose, to, full_name=full_name, link=link, hours=hours)


async def _send(context: JobContext, template: str, to: str, **values: object) -> None:
    message = context.resources.messages.render(template, to, message_id=f"job-{context.job_id}", **values)
    await context.resources.mailer.send(message)


KINDS = (
    JobKind(SendVerifyEmailMail, send_verify_email),
    JobKind(SendChangeEmailMail, send_change_email),
    JobKind(SendResetPasswordMail, send_reset_password),
    JobKind(SendAccountNotice, send_account_notice),
)
