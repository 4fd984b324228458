"""The mail catcher of development."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from app.core.config import Settings
from app.main import create_application
from tests.conftest import SAFE_IN_PRODUCTION, make_settings, serving
from tests.factories import PASSWORD, problem
from tests.jobs.conftest import eventually
from tests.pages.conftest import OWN_PAGE


@asynccontextmanager
async def running(settings: Settings, folder: Path, **changes: object) -> AsyncIterator[httpx2.AsyncClient]:
    """Run the service with a worker, whose mails are files."""
    own = settings.model_copy(update={"mail_directory": str(folder), "worker_in_process": True, **changes})
    application: FastAPI = create_application(own)
    async with serving(application) as client:
        yield client


@pytest.mark.parametrize("path", ["/mails", "/mails/01a2188e-a4d6-7498-a2d9-67618ee9e20e"])
async def test_production_has_no_mail_catcher(path: str) -> None:
    """A plain problem document."""
    settings = make_settings("postgresql://nowhere/app", **SAFE_IN_PRODUCTION)
    async with serving(create_application(settings)) as client:
        client.base_url = httpx2.URL("https://api.example.com")
        assert problem(await client.get(path)) == (404, "not_found")


async def test_mails_can_be_read_and_deleted(database: object, settings: Settings, tmp_path: Path) -> None:
    """Text and HTML stand side by side, and the link works on the address that is served."""
    del database  # emptied after the test
    async with running(settings, tmp_path) as client:
        assert "No mail has been sent" in (await client.get("/mails")).text
        account = {"email": "ada@example.com", "password": PASSWORD, "full_name": "<b>Ada</b>"}
        assert (await client.post("/api/v1/users", json=account)).status_code == 201

        async def is_written() -> bool:
            return bool(list(tmp_path.glob("*.eml")))

        await eventually(is_written)
        [mail] = tmp_path.glob("*.eml")
        assert f'href="/mails/{mail.stem}"' in (await client.get("/mails")).text
        page = (await client.get(f"/mails/{mail.stem}")).text
        assert f'<a href="{settings.public_url}/verify-email#token=' in page
        assert "<iframe" in page
        assert "sandbox=" in page
        assert (await client.post("/mails")).status_code == 403
        assert (await client.post("/mails", headers=OWN_PAGE)).status_code == 303
        assert list(tmp_path.glob("*.eml")) == []
        assert (await client.get(f"/mails/{mail.stem}")).status_code == 404


@pytest.mark.parametrize("name", ["x", "..%2f..%2fetc%2fpasswd"])
async def test_only_mails_are_read(client: httpx2.AsyncClient, name: str) -> None:
    """Another name is no file."""
    assert (await client.get(f"/mails/{name}")).status_code in (404, 422)
