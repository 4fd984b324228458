"""A browser without JavaScript: it keeps cookies, and sends what a browser sends about its requests."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from starlette.types import ASGIApp

from tests.factories import PASSWORD, Account, Accounts

OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')


@dataclass
class Browser:
    """Opens pages and sends their forms."""

    client: httpx2.AsyncClient

    async def open(self, path: str) -> httpx2.Response:
        """Open a page."""
        return await self.client.get(path)

    async def send(self, path: str, page: str = "/admin/accounts", **fields: str) -> httpx2.Response:
        """Send a form of a page, with the token that the page has."""
        token = TOKEN.search((await self.open(page)).text)
        data = {**fields, **({"csrf_token": token[1]} if token else {})}
        return await self.client.post(path, data=data, headers=OWN_PAGE)

    async def log_in(self, account: Account) -> httpx2.Response:
        """Log in to the administration."""
        form = {"email": account.email, "password": PASSWORD, "next": "/admin/jobs"}
        return await self.client.post("/admin/login", data=form, headers=OWN_PAGE)


@pytest.fixture
async def browser(application: ASGIApp, client: httpx2.AsyncClient) -> AsyncIterator[Browser]:
    """A browser with no cookies."""
    transport = httpx2.ASGITransport(application, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=client.base_url) as own:
        yield Browser(own)


@pytest.fixture
async def root(accounts: Accounts) -> Account:
    """An administrator."""
    return await accounts.create(admin=True)
