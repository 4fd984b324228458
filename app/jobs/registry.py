"""Every kind of job and every schedule that the worker runs."""

from app.jobs import clean_up, welcome_mail
from app.jobs.kinds import JobKind, Schedule

KINDS: tuple[JobKind, ...] = (welcome_mail.KIND,)
SCHEDULES: tuple[Schedule, ...] = (clean_up.SCHEDULE,)
