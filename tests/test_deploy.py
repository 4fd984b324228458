"""The files in deploy/ name existing metrics and settings, and a backup can be restored."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import func, select, table, text
from starlette.types import ASGIApp

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT
from app.db.database import Database
from app.observability.metrics import Metrics
from devtools.postgres import BINARIES
from tests.conftest import make_settings, serving
from tests.databases import DatabaseMaker
from tests.factories import PASSWORD, Accounts
from tests.notes.application import create_notes_application
from tests.queries import ReadOnly

DEPLOY = PROJECT_ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
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


def series() -> set[str]:
    """Return the name of every series that the service exposes."""
    names = set()
    for metric in vars(Metrics(make_settings("postgresql://nowhere/app"))).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            [family] = metric.describe()
            suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
            names |= {family.name + suffix for suffix in suffixes}
    return names | {"build_info"}


@pytest.mark.parametrize("expression", expressions())
def test_alerts_and_panels_ask_for_series_that_exist(expression: str) -> None:
    """A renamed metric must not silence an alert."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)", "", expression)
    asked = set(re.findall(r"[a-z_]{2,}", bare)) - WORDS_OF_PROMQL
    assert asked
    assert asked <= series() | NOT_OURS


def test_every_metric_is_documented() -> None:
    """In docs/observability.md, by its name."""
    page = (PROJECT_ROOT / "docs/observability.md").read_text()
    names = {re.sub("_(bucket|count|sum)$", "", name) for name in series()}
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_the_runbook_has_a_section_for_every_alert_and_no_other() -> None:
    """The engineer on call finds it by the name of the alert."""
    headings = re.findall(r"^## (\w+)$", (PROJECT_ROOT / "docs/runbook.md").read_text(), re.MULTILINE)
    assert headings == [rule["alert"] for rule in alerts()]
    for rule in alerts():
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


def manifests() -> list[dict[str, Any]]:
    """Every Kubernetes object."""
    files = [path for path in KUBERNETES.rglob("*.yaml") if path.name != "kustomization.yaml"]
    return [document for path in sorted(files) for document in yaml.safe_load_all(path.read_text())]


def test_every_manifest_belongs_to_a_kustomization() -> None:
    """Each file that a kustomization names exists."""
    for kustomization in KUBERNETES.rglob("kustomization.yaml"):
        named = set(yaml.safe_load(kustomization.read_text())["resources"])
        assert named == {path.name for path in kustomization.parent.glob("*.yaml")} - {"kustomization.yaml"}


def pods() -> list[dict[str, Any]]:
    """Return every pod specification."""
    return [
        manifest["spec"]["template"]["spec"] for manifest in manifests() if manifest["kind"] in ("Deployment", "Job")
    ]


def test_every_pod_is_unprivileged_and_has_a_memory_limit() -> None:
    """It is not root, and its root file system is read-only."""
    assert len(pods()) == 3
    for pod in pods():
        [container] = pod["containers"]
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]


async def test_probes_ask_for_what_is_there(client: httpx2.AsyncClient) -> None:
    """The three probes of the service use existing paths."""
    [web] = [pod["containers"][0] for pod in pods() if pod["containers"][0]["name"] == "web"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert (await client.get(web[probe]["httpGet"]["path"])).status_code == 200


def test_only_settings_that_exist_are_set() -> None:
    """In the compose file and in the ConfigMap; grace periods are longer than the shutdown."""
    names = {name.upper() for name in Settings.model_fields}
    compose = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text())
    [config] = [manifest["data"] for manifest in manifests() if manifest["kind"] == "ConfigMap"]
    assert set(compose["x-service"]["environment"]) | set(config) <= names
    longest = Settings(_env_file=None).shutdown_timeout_seconds
    assert int(compose["x-service"]["stop_grace_period"].rstrip("s")) > longest
    for pod in pods():
        assert pod.get("terminationGracePeriodSeconds", longest + 1) > longest


@pytest.mark.skipif(not (BINARIES / "pg_dump").exists(), reason="needs PostgreSQL's own tools")
async def test_a_backup_can_be_restored(
    accounts: Accounts, settings: Settings, application: ASGIApp, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    """With the two scripts of deploy/, into an empty database; the service then has all its data."""
    del application  # its schema
    ada = await accounts.create()
    note = await ada.create_note("milk")
    source, target = settings.database_url.get_secret_value(), await new_database.make()

    def script(name: str, *arguments: str, database: str) -> str:
        environment = {
            **os.environ,
            "PATH": f"{BINARIES}:{os.environ['PATH']}",
            "DATABASE_URL": database,
            "BACKUP_DIRECTORY": str(tmp_path),
        }
        command = ["sh", str(DEPLOY / name), *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    dump = script("backup.sh", database=source)
    assert Path(dump).parent == tmp_path
    script("restore.sh", dump, database=target)

    restored = make_settings(target)
    assert await counts(target) == await counts(source)
    async with serving(create_notes_application(restored)) as client:
        form = {"grant_type": "password", "username": ada.email, "password": PASSWORD}
        token = (await client.post("/api/v1/auth/token", data=form)).json()["access_token"]
        read = await client.get(f"/api/v1/notes/{note['id']}", headers={"Authorization": f"Bearer {token}"})
    assert read.json() == note
    with pytest.raises(subprocess.CalledProcessError):
        script("restore.sh", dump, database=target)  # which is not empty any more


async def counts(dsn: str) -> dict[str, int]:
    """The number of rows in every table."""
    database = Database(make_settings(dsn))
    session = ReadOnly(database)
    tables = await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"))
    found = {name: await session.scalar(select(func.count()).select_from(table(name))) or 0 for name in tables}
    await database.dispose()
    return found
