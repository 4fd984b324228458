"""What health checks answer."""

from typing import Literal

from app.schemas.types import OutputModel

Condition = Literal["ok", "unavailable"]


class HealthRead(OutputModel):
    """The process runs."""

    status: Literal["ok"] = "ok"


class ReadinessRead(OutputModel):
    """Whether the process can serve, and each part that it needs."""

    status: Condition
    checks: dict[str, Condition]
