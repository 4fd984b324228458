"""All kinds of jobs and all schedules."""

from app.jobs import account_mails, clean_up
from app.jobs.kinds import JobKind, Schedule

KINDS: tuple[JobKind, ...] = (*account_mails.KINDS,)
SCHEDULES: tuple[Schedule, ...] = (clean_up.SCHEDULE,)
