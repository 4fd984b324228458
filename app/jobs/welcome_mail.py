"""Welcoming somebody who has registered."""

from app.jobs.kinds import JobContext, JobKind
from app.schemas.mail import SendWelcomeMail


async def send_welcome_mail(job: SendWelcomeMail, context: JobContext) -> None:
    """Send the mail. A second copy carries the same Message-ID, by which mail programs know it."""
    message = context.resources.messages.render(
        "welcome", job.email, message_id=f"job-{context.job_id}", full_name=job.full_name
    )
    await context.resources.mailer.send(message)


KIND = JobKind(SendWelcomeMail, send_welcome_mail)
