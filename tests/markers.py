"""Markers that tests have because of their folder or file."""

import pytest

WITHOUT_COVERAGE = ("tests/dayone/", "tests/deploy/", "tests/devtools/", "tests/test_")


@pytest.hookimpl(tryfirst=True)  # before pytest reads the markers for `-m`
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark soak tests, sweeps, and tests of tools and deployment, which would take twice as long with coverage."""
    for item in items:
        if item.nodeid.startswith(WITHOUT_COVERAGE) or item.get_closest_marker("soak"):
            item.add_marker("no_coverage")
