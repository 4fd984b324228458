"""One request, one transaction, committed before the response: for every operation that writes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg
import fastapi.routing
import httpx2
import pytest
from sqlalchemy import text
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.access import Access
from app.core.config import Settings
from app.db.database import Database
from app.models.one_time_token import Purpose
from app.services.one_time_tokens import issue_token
from tests.conftest import BASE_URL, with_state
from tests.factories import PASSWORD, Account, Accounts
from tests.notes.application import create_notes_application
from tests.operations import Operation, operations
from tests.subjects import request_options, subject_of

NEW_PASSWORD = "another horse battery staple"
REGISTRATION = {"email": "new@example.com", "password": PASSWORD}


Write = Callable[["Scene"], Awaitable[httpx2.Response]]


@dataclass
class Scene:
    """The accounts, sessions and jobs that a write is tried with."""

    ada: Account
    root: Account
    job: str
    other_session: UUID
    tokens: dict[Purpose, str]

    @classmethod
    async def build(cls, accounts: Accounts) -> "Scene":
        """Create two accounts, two sessions of the first, and a failed job."""
        ada, root = await accounts.create(verified=True), await accounts.create(admin=True, verified=True)
        async with accounts.database.unit_of_work() as session:
            failed = text("UPDATE pgqueuer SET status = 'failed' RETURNING id")
            job_id = (await session.scalars(failed)).first()
            tokens = {
                purpose: (await issue_token(session, ada.id, purpose, ada.email, timedelta(hours=1)))[1]
                for purpose in Purpose
            }
        await accounts.log_in(ada.email)
        sessions = (await ada.request("GET", "/api/v1/auth/sessions")).json()["items"]
        [other] = [UUID(session["id"]) for session in sessions if not session["is_current"]]
        return cls(ada, root, f"/api/v1/admin/jobs/{job_id}", other, tokens)


ACCOUNTS: dict[str, Write] = {
    "POST /api/v1/users": lambda s: s.ada.client.post("/api/v1/users", json=REGISTRATION),
    "PATCH /api/v1/users/me": lambda s: s.ada.request("PATCH", "/api/v1/users/me", json={"full_name": "x"}),
    "PATCH /api/v1/users/{user_id}": lambda s: s.root.request(
        "PATCH", f"/api/v1/users/{s.ada.id}", json={"role": "admin"}
    ),
    "DELETE /api/v1/users/{user_id}": lambda s: s.root.request("DELETE", f"/api/v1/users/{s.ada.id}"),
    "DELETE /api/v1/users/me": lambda s: s.ada.request("DELETE", "/api/v1/users/me", json={"password": PASSWORD}),
    "PUT /api/v1/users/me/password": lambda s: s.ada.request(
        "PUT", "/api/v1/users/me/password", json={"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    ),
    "PUT /api/v1/users/me/email": lambda s: s.ada.request(
        "PUT", "/api/v1/users/me/email", json={"email": "new@example.com", "password": PASSWORD}
    ),
    "POST /api/v1/auth/token": lambda s: s.ada.client.post(
        "/api/v1/auth/token", data={"grant_type": "refresh_token", "refresh_token": s.ada.refresh_token}
    ),
    "POST /api/v1/auth/browser-session": lambda s: s.ada.client.post(
        "/api/v1/auth/browser-session",
        json={"email": s.ada.email, "password": PASSWORD},
        headers={"Origin": BASE_URL},
    ),
    "POST /api/v1/auth/revoke": lambda s: s.ada.client.post("/api/v1/auth/revoke", data={"token": s.ada.token}),
    "DELETE /api/v1/auth/sessions": lambda s: s.ada.request("DELETE", "/api/v1/auth/sessions"),
    "DELETE /api/v1/auth/sessions/{session_id}": lambda s: s.ada.request(
        "DELETE", f"/api/v1/auth/sessions/{s.other_session}"
    ),
    "POST /api/v1/auth/verify-email": lambda s: s.ada.client.post(
        "/api/v1/auth/verify-email", json={"token": s.tokens[Purpose.VERIFY_EMAIL]}
    ),
    "POST /api/v1/auth/verify-email/request": lambda s: s.ada.request("POST", "/api/v1/auth/verify-email/request"),
    "POST /api/v1/auth/password/forgot": lambda s: s.ada.client.post(
        "/api/v1/auth/password/forgot", json={"email": s.ada.email}
    ),
    "POST /api/v1/auth/password/reset": lambda s: s.ada.client.post(
        "/api/v1/auth/password/reset",
        json={"token": s.tokens[Purpose.RESET_PASSWORD], "new_password": NEW_PASSWORD},
    ),
    "POST /api/v1/admin/jobs/{job_id}/requeue": lambda s: s.root.request("POST", f"{s.job}/requeue"),
    "DELETE /api/v1/admin/jobs/{job_id}": lambda s: s.root.request("DELETE", s.job),
}
"""Writes that need a password, a token, or another caller than the owner; subjects describe the others."""
WRITES = [operation for operation in operations() if operation.method != "GET"]
every_write = pytest.mark.parametrize("operation", WRITES, ids=str)


async def prepare(operation: Operation, scene: Scene) -> Callable[[], Awaitable[httpx2.Response]]:
    """Create what the operation needs, and return the call."""
    if str(operation) in ACCOUNTS:
        return partial(ACCOUNTS[str(operation)], scene)
    names = operation.parameter_names
    caller = scene.root if operation.access is Access.ADMINISTRATOR else scene.ada
    values = await subject_of(names).create(caller) if names else ()
    return partial(caller.request, operation.method, operation.path(*values), **request_options(operation))


@pytest.fixture
async def events(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[httpx2.AsyncClient, list[str]]]:
    """An application that records its serialisation, commits and responses in order."""
    del database
    happened: list[str] = []
    app = create_notes_application(settings)
    serialize, execute = fastapi.routing.serialize_response, asyncpg.Connection.execute

    async def noting_serialize(**options: object) -> object:
        happened.append("serialise")
        return await serialize(**options)  # type: ignore[arg-type]

    async def noting_execute(connection: asyncpg.Connection, query: str) -> str:
        status = await execute(connection, query)
        if query == "COMMIT":
            happened.append("commit")
        return status

    monkeypatch.setattr(fastapi.routing, "serialize_response", noting_serialize)
    monkeypatch.setattr(asyncpg.Connection, "execute", noting_execute)
    async with app.router.lifespan_context(app) as state:
        transport = httpx2.ASGITransport(noting_responses(with_state(app, state), happened))  # type: ignore[arg-type]
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            yield client, happened


def noting_responses(app: ASGIApp, happened: list[str]) -> ASGIApp:
    """Record when a response starts."""

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_track_start(message: Message) -> None:
            if message["type"] == "http.response.start":
                happened.append("response")
            await send(message)

        await app(scope, receive, send_and_track_start)

    return noting


@every_write
async def test_the_commit_comes_after_serialising_and_before_the_answer(
    events: tuple[httpx2.AsyncClient, list[str]], database: Database, operation: Operation
) -> None:
    """There is only one commit."""
    client, happened = events
    act = await prepare(operation, await Scene.build(Accounts(client, database)))
    happened.clear()
    response = await act()
    assert response.is_success
    assert happened == ["serialise", "commit", "response"]
