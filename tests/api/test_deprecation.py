"""The deprecation headers of version 1."""

from datetime import UTC, datetime

import httpx2
import pytest

from app.core.config import Settings
from tests.conftest import BASE_URL, serving, with_state
from tests.factories import Accounts
from tests.notes.application import create_notes_application

SUNSET = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "successor"),
    [
        ("/api/v1/users/me", "/api/v2/users/me"),
        ("/api/v1/users/{id}", "/api/v2/users/{id}"),
        ("/api/v1/users", "/api/v2/users"),
        ("/api/v1/notes", None),
        ("/api/v2/users/me", None),
    ],
)
async def test_answers_with_a_successor_say_so(
    settings: Settings, accounts: Accounts, path: str, successor: str | None
) -> None:
    """Responses with a successor in version 2 have the headers, errors included; others have not."""
    ada = await accounts.create()
    app = create_notes_application(settings.model_copy(update={"api_v1_sunset": SUNSET}))
    async with app.router.lifespan_context(app) as state:
        transport = httpx2.ASGITransport(with_state(app, state))  # type: ignore[arg-type]
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            answers = [await client.get(path.format(id=ada.id), headers=h) for h in (ada.headers, {})]
    for headers in (answer.headers for answer in answers):
        if successor is None:
            assert not headers.keys() & {"deprecation", "sunset"}
        else:
            assert headers["sunset"] == "Tue, 01 Jan 2030 00:00:00 GMT"
            assert headers["deprecation"] == f"@{int(SUNSET.timestamp()) - 182 * 86_400}"
            assert f'<{successor.format(id=ada.id)}>; rel="successor-version"' in headers["link"]


async def test_without_an_end_nothing_is_deprecated(accounts: Accounts) -> None:
    """Without API_V1_SUNSET there are no deprecation headers."""
    ada = await accounts.create()
    assert "deprecation" not in (await ada.request("GET", "/api/v1/users/me")).headers


@pytest.mark.parametrize("path", ["%E2%82%AC", "%0d%0aX-Evil:1", "%00", "%22%3E"])
async def test_the_successor_of_an_odd_path_is_a_link(settings: Settings, database: object, path: str) -> None:
    """The link has the path as the client wrote it: a decoded path may contain characters that no header may."""
    del database
    async with serving(create_notes_application(settings.model_copy(update={"api_v1_sunset": SUNSET}))) as client:
        response = await client.get(f"/api/v1/users/{path}")
    assert response.status_code in (401, 422)
    link = response.headers.get("link", "")
    assert link.isascii()
    assert "x-evil" not in response.headers
