"""The cache of live sessions, and its invalidation."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx2
import jwt
import pytest
from sqlalchemy import event, text

from app.core.config import Settings
from app.db.database import Database
from app.dependencies import VerifiedUser
from tests.conftest import serving
from tests.databases import end_connections
from tests.factories import Account, Accounts, problem
from tests.notes.application import create_notes_application

ME = "/api/v1/users/me"
Ending = Callable[[Account, Account, Database], Awaitable[object]]


async def by_sql(statement: str, account: Account, database: Database) -> None:
    """Run SQL as an operator with psql does."""
    claims = jwt.decode(account.token, options={"verify_signature": False})
    async with database.unit_of_work() as session:
        await session.execute(text(statement), {"id": UUID(claims["sid"]), "user": account.id})


ENDINGS: dict[str, Ending] = {
    "logs out": lambda ada, _, __: ada.client.post("/api/v1/auth/revoke", data={"token": ada.refresh_token}),
    "is disabled": lambda ada, root, _: root.request("PATCH", f"/api/v1/users/{ada.id}", json={"is_active": False}),
    "is deleted": lambda ada, root, _: root.request("DELETE", f"/api/v1/users/{ada.id}"),
    "is deleted by hand": lambda ada, _, db: by_sql("DELETE FROM sessions WHERE id = :id", ada, db),
    "expires by hand": lambda ada, _, db: by_sql("UPDATE sessions SET expires_at = now() WHERE id = :id", ada, db),
    "is disabled by hand": lambda ada, _, db: by_sql("UPDATE users SET is_active = false WHERE id = :user", ada, db),
}


async def remembered(client: httpx2.AsyncClient, account: Account) -> None:
    """Wait until the process listens and has cached this session, so that a request makes no query for it."""
    for _ in range(100):
        assert (await client.get(ME, headers=account.headers)).status_code == 200
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("ending", ENDINGS)
async def test_another_process_refuses_it_soon(
    accounts: Accounts, database: Database, settings: Settings, ending: str
) -> None:
    """However the session ends; the process that ends it refuses it immediately."""
    ada, root = await accounts.create(), await accounts.create(admin=True)
    async with serving(create_notes_application(settings)) as other:
        await remembered(other, ada)
        await ENDINGS[ending](ada, root, database)
        if "by hand" not in ending:
            assert (await ada.request("GET", ME)).status_code == 401
        async with asyncio.timeout(5):  # `make drill` measures it: a tenth of a second
            while (await other.get(ME, headers=ada.headers)).status_code == 200:  # noqa: ASYNC110
                await asyncio.sleep(0.001)


async def test_a_session_is_looked_up_once(accounts: Accounts, settings: Settings) -> None:
    """While the process does not listen, it is looked up for each request."""
    ada = await accounts.create()
    app = create_notes_application(settings)
    lookups: list[int] = []
    async with app.router.lifespan_context(app) as state:
        pool = state["database"].read_engine.sync_engine.pool  # type: ignore[index]
        event.listen(pool, "checkout", lambda *_: lookups.append(1))
        sessions = state["sessions"]  # type: ignore[index]
        claims = state["access_tokens"].verify(ada.token)  # type: ignore[index]
        while not sessions._is_listening:  # noqa: SLF001, ASYNC110  there is no public name
            await asyncio.sleep(0.01)
        assert {(await sessions.find(claims)).role for _ in range(5)} == {"user"}
        assert len(lookups) == 1
        await end_connections(accounts.database)
        await state["database"].dispose()  # type: ignore[index]
        while sessions._is_listening:  # noqa: SLF001, ASYNC110
            await asyncio.sleep(0.01)
        lookups.clear()
        assert (await sessions.find(claims)).role == "user"
        assert lookups


async def test_a_refresh_forgets_nothing(accounts: Accounts, settings: Settings) -> None:
    """It updates the session, but nothing that decides on access."""
    ada, bob = await accounts.create(), await accounts.create()
    app = create_notes_application(settings)
    async with app.router.lifespan_context(app) as state:
        sessions, tokens = state["sessions"], state["access_tokens"]  # type: ignore[index]
        while not sessions._is_listening:  # noqa: SLF001, ASYNC110
            await asyncio.sleep(0.01)
        for account in (ada, bob):
            assert await sessions.find(tokens.verify(account.token))
        form = {"grant_type": "refresh_token", "refresh_token": ada.refresh_token}
        assert (await ada.client.post("/api/v1/auth/token", data=form)).status_code == 200
        await bob.client.post("/api/v1/auth/revoke", data={"token": bob.token})
        async with asyncio.timeout(5):
            while len(sessions._sessions) == 2:  # noqa: SLF001, ASYNC110
                await asyncio.sleep(0.01)
        [kept] = sessions._sessions.values()  # noqa: SLF001
        assert kept.user_id == ada.id


async def test_the_least_recently_used_session_leaves_a_full_cache(accounts: Accounts, settings: Settings) -> None:
    """The size of the cache is a setting."""
    three = [await accounts.create() for _ in range(3)]
    app = create_notes_application(settings.model_copy(update={"session_cache_size": 2}))
    async with app.router.lifespan_context(app) as state:
        sessions, tokens = state["sessions"], state["access_tokens"]  # type: ignore[index]
        while not sessions._is_listening:  # noqa: SLF001, ASYNC110
            await asyncio.sleep(0.01)
        for account in (three[0], three[1], three[0], three[2]):
            assert await sessions.find(tokens.verify(account.token))
        assert [session.user_id for session in sessions._sessions.values()] == [three[0].id, three[2].id]  # noqa: SLF001


async def test_an_operation_may_ask_for_a_verified_address(accounts: Accounts, settings: Settings) -> None:
    """A verification takes effect immediately."""
    ada = await accounts.create()
    app = create_notes_application(settings)

    @app.get("/verified")
    async def read_verified(user: VerifiedUser) -> str:
        return str(user.user_id)

    async with serving(app) as client:
        await remembered(client, ada)
        assert problem(await client.get("/verified", headers=ada.headers)) == (403, "email_not_verified")
        await accounts.change(ada.id, is_verified=True)
        async with asyncio.timeout(5):
            while (await client.get("/verified", headers=ada.headers)).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
