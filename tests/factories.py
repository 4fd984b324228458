"""Factories: accounts that are logged in, and their notes."""

import itertools
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import jwt
from sqlalchemy import update

from app.db.database import Database
from app.models.user import Role, User

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Account:
    """An account with an access token."""

    client: httpx2.AsyncClient
    id: UUID
    email: str
    token: str
    refresh_token: str

    @property
    def headers(self) -> dict[str, str]:
        """Return the header with the access token."""
        return {"Authorization": f"Bearer {self.token}"}

    async def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Make a request as this account."""
        headers = {**self.headers, **options.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **options)

    async def create_note(self, title: str = "milk", **fields: Any) -> dict[str, Any]:
        """Create a note of this account."""
        response = await self.request("POST", "/api/v1/notes", json={"title": title, **fields})
        assert response.status_code == 201, response.text
        note: dict[str, Any] = response.json()
        return note


class Accounts:
    """Creates accounts through the API."""

    def __init__(self, client: httpx2.AsyncClient, database: Database) -> None:
        self.client = client
        self.database = database

    async def create(self, *, email: str | None = None, admin: bool = False, verified: bool = False) -> Account:
        """Register and log in. `admin` and `verified` change the account in the database."""
        email = email or f"user-{next(_numbers)}@example.com"
        registration = await self.client.post("/api/v1/users", json={"email": email, "password": PASSWORD})
        assert registration.status_code == 201, registration.text
        user_id = UUID(registration.json()["id"])
        if admin or verified:
            await self.change(user_id, role=Role.ADMIN if admin else Role.USER, is_verified=verified)
        return await self.log_in(email)

    async def log_in(self, email: str, password: str = PASSWORD) -> Account:
        """Open a session with the password."""
        form = {"grant_type": "password", "username": email, "password": password}
        response = await self.client.post("/api/v1/auth/token", data=form)
        assert response.status_code == 200, response.text
        granted = response.json()
        claims = jwt.decode(granted["access_token"], options={"verify_signature": False})
        return Account(self.client, UUID(claims["sub"]), email, granted["access_token"], granted["refresh_token"])

    async def change(self, user_id: UUID, **values: object) -> None:
        """Change an account in the database, without the API."""
        async with self.database.unit_of_work() as session:
            await session.execute(update(User).where(User.id == user_id).values(**values))


def problem(response: httpx2.Response) -> tuple[int, str]:
    """Return the status and the code of a problem document."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body = response.json()
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    return response.status_code, body["code"]
