"""Killed processes lose no job."""

import asyncio
import signal
import sys
from email import message_from_bytes
from pathlib import Path

import httpx2
import pytest

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT
from app.db.database import Database
from app.db.queue import enqueue
from app.jobs.kinds import JobKind
from devtools.loopback import free_port
from tests.factories import PASSWORD
from tests.jobs.conftest import STUBBORN, Journal, Note, RunnerFactory, eventually, run_until
from tests.processes import environment_of, serving

KILLS = 50


@pytest.mark.soak
async def test_fifty_kills_in_the_middle_of_jobs_lose_none(
    settings: Settings, database: Database, journal: Journal, make_runner: RunnerFactory
) -> None:
    """At the end every job has run at least once."""
    names = [str(number) for number in range(2 * KILLS)]
    async with database.unit_of_work() as session:
        for name in names:
            enqueue(session, Note(name=name))
    dsn = settings.database_url.get_secret_value()
    arguments = (sys.executable, "-m", "tests.jobs.kill_workers", dsn, str(KILLS))
    process = await asyncio.create_subprocess_exec(*arguments, cwd=PROJECT_ROOT, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert output.decode().split()[-2:] == ["killed", str(KILLS)]

    await run_until(make_runner(JobKind(Note, journal.note, STUBBORN)), journal.is_done)
    assert set(await journal.read()) == set(names)


async def test_an_answered_request_keeps_its_promise_though_the_process_is_killed(
    settings: Settings, journal: Journal, tmp_path: Path
) -> None:
    """The server is killed right after its response; a worker that starts later sends the mail."""
    port = free_port()
    environment = environment_of(settings, port, WORKER_HEARTBEAT_FILE=str(tmp_path / "heartbeat"))
    uvicorn = [sys.executable, "-m", "uvicorn", "app.main:app", f"--port={port}"]
    with serving(uvicorn, port=port, cwd=tmp_path, environment=environment) as server:
        registration = {"email": "ada@example.com", "password": PASSWORD}
        answer = httpx2.post(f"http://127.0.0.1:{port}/api/v1/users", json=registration)
        server.kill()
    assert answer.status_code == 201

    command = (sys.executable, "-m", "app", "worker")

    async def check() -> int:
        checking = await asyncio.create_subprocess_exec(*command, "--check", cwd=tmp_path, env=environment)
        return await checking.wait()

    assert await check() == 1
    worker = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, env=environment)

    await eventually(journal.is_done)
    assert await check() == 0
    worker.send_signal(signal.SIGTERM)
    assert await worker.wait() == 0
    assert await check() == 1
    [file] = (tmp_path / "var" / "mail").glob("*.eml")
    assert message_from_bytes(file.read_bytes())["To"] == "ada@example.com"


async def test_a_job_that_kills_its_worker_ends_after_its_attempts(
    settings: Settings, database: Database, journal: Journal
) -> None:
    """Each lost worker counts as an attempt, and other jobs of that worker run once."""
    neighbours = [f"neighbour {number}" for number in range(3)]
    async with database.unit_of_work() as session:
        for name in ("poison", *neighbours):
            enqueue(session, Note(name=name))
    dsn = settings.database_url.get_secret_value()
    arguments = (sys.executable, "-m", "tests.jobs.poisoned_worker", dsn)
    starts = 0
    async with asyncio.timeout(60):
        while await journal.queue() != {"failed": 1}:
            starts += 1
            process = await asyncio.create_subprocess_exec(*arguments, cwd=PROJECT_ROOT)
            await process.wait()
    runs = await journal.read()
    assert runs.count("poison") == 2  # the maximum of its kind
    assert sorted(name for name in runs if name != "poison") == neighbours
