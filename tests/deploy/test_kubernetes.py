"""The Kubernetes manifests: unprivileged pods, existing probes and settings."""

from typing import Any

import httpx2
import yaml

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT

KUBERNETES = PROJECT_ROOT / "deploy" / "kubernetes"


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
    """In the ConfigMap; grace periods are longer than the shutdown."""
    [config] = [manifest["data"] for manifest in manifests() if manifest["kind"] == "ConfigMap"]
    assert set(config) <= {name.upper() for name in Settings.model_fields}
    longest = Settings(_env_file=None).shutdown_timeout_seconds
    for pod in pods():
        assert pod.get("terminationGracePeriodSeconds", longest + 1) > longest
