"""The job queue over HTTP; what its operations do to workers is in tests/jobs/test_queue.py."""

import pytest

from tests.factories import Accounts, problem


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/v1/admin/jobs"), ("POST", "/api/v1/admin/jobs/1/requeue"), ("DELETE", "/api/v1/admin/jobs/1")],
)
async def test_jobs_are_for_administrators(accounts: Accounts, method: str, path: str) -> None:
    """Other users get 403."""
    ada = await accounts.create()
    assert problem(await ada.request(method, path)) == (403, "forbidden")


async def test_jobs_are_listed_in_pages_without_their_payload(accounts: Accounts) -> None:
    """The oldest are first, and can be filtered by state."""
    root, _ = await accounts.create(admin=True), await accounts.create()
    first = (await root.request("GET", "/api/v1/admin/jobs", params={"limit": "1", "state": "queued"})).json()
    params = {"state": "queued", "cursor": first["next_cursor"]}
    rest = (await root.request("GET", "/api/v1/admin/jobs", params=params)).json()
    jobs = first["items"] + rest["items"]
    assert [(job["kind"], job["state"], job["attempts"]) for job in jobs] == [
        ("send_verify_email_mail", "queued", 0)
    ] * 2
    assert jobs[0]["id"] < jobs[1]["id"]
    assert "@" not in str(jobs)
    assert (await root.request("GET", "/api/v1/admin/jobs", params={"state": "failed"})).json()["items"] == []


@pytest.mark.parametrize(("method", "suffix"), [("POST", "/requeue"), ("DELETE", "")])
async def test_a_job_that_is_not_there_is_not_found(accounts: Accounts, method: str, suffix: str) -> None:
    """The job may have finished."""
    root = await accounts.create(admin=True)
    assert problem(await root.request(method, f"/api/v1/admin/jobs/999{suffix}")) == (404, "not_found")
