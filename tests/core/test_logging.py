"""What is logged, and what is not."""

import json
import logging

import httpx2
import pytest
import structlog

from app.core.logging import configure_logging
from tests.conftest import make_settings
from tests.factories import PASSWORD, Accounts
from tests.notes.application import create_notes_application

DSN = "postgresql://db.internal/app"


async def test_a_request_is_one_line_with_its_id(accounts: Accounts, logs: pytest.LogCaptureFixture) -> None:
    """It has method, path, template, status, duration and client, but not the query, which may contain a secret."""
    ada = await accounts.create()
    note = await ada.create_note()
    logs.clear()
    response = await ada.request("GET", f"/api/v1/notes/{note['id']}?canary=1")
    [record] = [r for r in logs.records if r.name == "app.access"]
    assert isinstance(record.msg, dict)
    assert record.msg | {"duration_ms": 0, "timestamp": ""} == {
        "event": "request",
        "level": "info",
        "logger": "app.access",
        "timestamp": "",
        "request_id": response.headers["x-request-id"],
        "method": "GET",
        "path": f"/api/v1/notes/{note['id']}",
        "route": "/api/v1/notes/{note_id}",
        "status": 200,
        "duration_ms": 0,
        "client": "127.0.0.1",
        "user_id": str(ada.id),
    }


async def test_no_password_and_no_token_is_logged(accounts: Accounts, logs: pytest.LogCaptureFixture) -> None:
    """This holds for successful and for failing requests."""
    ada = await accounts.create()
    await ada.client.post("/api/v1/users", json={"email": "x", "password": PASSWORD})
    await ada.client.post("/api/v1/auth/token", data={"grant_type": "x", "password": PASSWORD})
    await ada.request("GET", "/api/v1/notes")
    logged = " ".join(str(record.msg) for record in logs.records)
    assert logged
    assert PASSWORD not in logged
    assert ada.token not in logged


def test_outside_development_every_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    """This includes records of libraries and stack traces."""
    handlers = logging.getLogger().handlers[:]
    try:
        configure_logging(make_settings(DSN, environment="staging", log_level="INFO"))
        structlog.get_logger("ours").info("hello", answer=42)
        logging.getLogger("uvicorn.error").warning("theirs")
        try:
            local_secret = "canary"
            raise ValueError(len(local_secret))
        except ValueError:
            structlog.get_logger("ours").exception("failed")
        logging.getLogger().handlers[0].flush()
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    finally:
        logging.getLogger().handlers = handlers
        create_notes_application(make_settings(DSN))
    assert [line["event"] for line in lines] == ["hello", "theirs", "failed"]
    assert lines[0]["answer"] == 42
    assert lines[2]["exception"][0]["exc_type"] == "ValueError"
    assert "canary" not in json.dumps(lines)


@pytest.mark.parametrize(
    ("offered", "kept"),
    [("abc-123", True), ("a" * 128, True), ("a" * 129, False), ("", False), ("a b", False), ("a\nb", False)],
)
async def test_a_well_formed_request_id_is_kept(client: httpx2.AsyncClient, offered: str, kept: bool) -> None:
    """Others are replaced, so that clients cannot write into the log."""
    response = await client.get("/health/live", headers={"X-Request-ID": offered})
    assert (response.headers["x-request-id"] == offered) is kept
    assert response.headers["x-request-id"]
