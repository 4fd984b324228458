"""Items on plain SQLAlchemy, beside the service that ships."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from app.dependencies.services import get_items
from tests.plain_items import get_plain_items


@pytest.fixture(params=["traced", "plain"])
def both_services(request: pytest.FixtureRequest, app: FastAPI) -> Iterator[None]:
    """Run a test with the service that ships, and with one that uses plain SQLAlchemy only."""
    if request.param == "plain":
        app.dependency_overrides[get_items] = get_plain_items
    yield
    app.dependency_overrides.clear()
