"""The security log in the administration."""

import re

from app.db.database import Database
from app.observability.security_log import waiting
from app.services.security_log_storage import store_waiting
from tests.factories import Account, Accounts
from tests.pages.conftest import Browser


async def test_the_security_log_is_filtered(
    browser: Browser, accounts: Accounts, root: Account, database: Database
) -> None:
    """By account and event; empty fields of the form are no filters."""
    waiting.clear()  # of the events of other tests
    ada = await accounts.create()
    await browser.log_in(root)
    await store_waiting(database, 90)
    for query, found in (
        ("?account_id=&event=login_succeeded", {"login_succeeded"}),
        (f"?account_id={ada.id}&event=", {"account_created", "login_succeeded"}),
        (f"?account_id={ada.id}&event=account_created", {"account_created"}),
        ("?event=token_replayed", set()),
    ):
        page = (await browser.open(f"/admin/security-log{query}")).text
        assert set(re.findall(r"<td>([a-z_]+)</td>", page)) == found
        assert (str(root.id) in page) == ("account_id=&" in query)
