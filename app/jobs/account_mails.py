"""The mails about accounts. A second copy of one carries the same Message-ID, by which mail programs know it."""

from datetime import timedelta

from sqlalchemy import SQLColumnExpression, select

from app.jobs.kinds import JobContext, JobKind
from app.models.one_time_token import Purpose
from app.models.user import User
from app.schemas.mail import SendChangeEmailMail, SendEmailChangeNotice, SendResetPasswordMail, SendVerifyEmailMail
from app.services.one_time_tokens import issue_token


async def send_verify_email(job: SendVerifyEmailMail, context: JobContext) -> None:
    """Send the link, unless the address is confirmed already or the account is gone."""
    user = await _find(context, User.id == job.user_id, ~User.is_verified)
    if user is not None:
        hours = context.resources.settings.verify_email_expire_hours
        await _send_link(context, user, Purpose.VERIFY_EMAIL, user.email, timedelta(hours=hours))


async def send_change_email(job: SendChangeEmailMail, context: JobContext) -> None:
    """Send the link to the new address."""
    user = await _find(context, User.id == job.user_id)
    if user is not None:
        hours = context.resources.settings.verify_email_expire_hours
        await _send_link(context, user, Purpose.CHANGE_EMAIL, job.email, timedelta(hours=hours))


async def send_email_change_notice(job: SendEmailChangeNotice, context: JobContext) -> None:
    """Send the notice to the address that the account has."""
    user = await _find(context, User.id == job.user_id)
    if user is not None:
        await _send(context, "email_change_notice", user.email, full_name=user.full_name)


async def send_reset_password(job: SendResetPasswordMail, context: JobContext) -> None:
    """Send the link if the account exists and is active; otherwise nobody hears anything."""
    user = await _find(context, User.email == job.email, User.is_active)
    if user is not None:
        minutes = context.resources.settings.reset_password_expire_minutes
        await _send_link(context, user, Purpose.RESET_PASSWORD, user.email, timedelta(minutes=minutes))


async def _find(context: JobContext, *conditions: SQLColumnExpression[bool]) -> User | None:
    async with context.resources.database.unit_of_work() as session:
        return (await (await session.orm()).scalars(select(User).where(*conditions))).one_or_none()


async def _send_link(context: JobContext, user: User, purpose: Purpose, to: str, lifetime: timedelta) -> None:
    async with context.resources.database.unit_of_work() as session:
        token = await issue_token(session, user.id, purpose, to, lifetime)
    # From PUBLIC_URL, never from a Host header; behind the #, where no server and no Referer sees the token.
    link = f"{context.resources.settings.public_url.rstrip('/')}/{purpose.replace('_', '-')}#token={token}"
    await _send(context, purpose, to, full_name=user.full_name, link=link, hours=lifetime.total_seconds() / 3600)


async def _send(context: JobContext, template: str, to: str, **values: object) -> None:
    message = context.resources.messages.render(template, to, message_id=f"job-{context.job_id}", **values)
    await context.resources.mailer.send(message)


KINDS = (
    JobKind(SendVerifyEmailMail, send_verify_email),
    JobKind(SendChangeEmailMail, send_change_email),
    JobKind(SendEmailChangeNotice, send_email_change_notice),
    JobKind(SendResetPasswordMail, send_reset_password),
)
