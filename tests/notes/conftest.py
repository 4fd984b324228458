"""Run tests of notes with traced statements and with plain SQLAlchemy."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from tests.notes.plain import get_plain_notes
from tests.notes.router import get_notes


@pytest.fixture(params=["traced", "plain"])
def both_services(request: pytest.FixtureRequest, app: FastAPI) -> Iterator[None]:
    """Run a test with traced statements and with plain SQLAlchemy only."""
    if request.param == "plain":
        app.dependency_overrides[get_notes] = get_plain_notes
    yield
    app.dependency_overrides.clear()
