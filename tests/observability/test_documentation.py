"""The metrics are documented."""

import re

from app.core.database_url import PROJECT_ROOT
from tests.observability.series import series


def test_every_metric_is_documented() -> None:
    """In docs/observability.md, by its name."""
    page = (PROJECT_ROOT / "docs/observability.md").read_text()
    names = {re.sub("_(bucket|count|sum)$", "", name) for name in series()}
    assert {name for name in names if f"`{name}`" not in page} == set()
