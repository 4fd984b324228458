"""Responses of health checks."""

from typing import Literal

from app.schemas.types import OutputModel

Condition = Literal["ok", "unavailable"]


class HealthRead(OutputModel):
    """The process runs."""

    status: Literal["ok"] = "ok"


class ReadinessRead(OutputModel):
    """Whether the process can serve requests, and the state of each part that it needs."""

    status: Condition
    checks: dict[str, Condition]
