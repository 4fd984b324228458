"""Alerts and the dashboard use existing metrics, and the runbook describes every alert."""

import json
import re
from typing import Any

import pytest
import yaml

from app.core.database_url import PROJECT_ROOT
from tests.observability.series import series

DEPLOY = PROJECT_ROOT / "deploy"
NOT_OURS = {"up"}
WORDS_OF_PROMQL = {"sum", "by", "rate", "increase", "histogram_quantile", "max", "topk", "count", "le", "status"}


def alerts() -> list[dict[str, Any]]:
    """The alert rules."""
    [group] = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def expressions() -> list[str]:
    """Return every expression of the alerts and of the dashboard."""
    panels = json.loads((DEPLOY / "grafana/dashboard.json").read_text())["panels"]
    return [rule["expr"] for rule in alerts()] + [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.mark.parametrize("expression", expressions())
def test_alerts_and_panels_ask_for_series_that_exist(expression: str) -> None:
    """A renamed metric must not silence an alert."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)", "", expression)
    asked = set(re.findall(r"[a-z_]{2,}", bare)) - WORDS_OF_PROMQL
    assert asked
    assert asked <= series() | NOT_OURS


def test_the_runbook_has_a_section_for_every_alert_and_no_other() -> None:
    """The engineer on call finds it by the name of the alert."""
    headings = re.findall(r"^## (\w+)$", (PROJECT_ROOT / "docs/runbook.md").read_text(), re.MULTILINE)
    assert headings == [rule["alert"] for rule in alerts()]
    for rule in alerts():
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
