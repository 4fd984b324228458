"""The series that the service exposes."""

from prometheus_client import Counter, Gauge, Histogram

from app.observability.metrics import Metrics
from tests.conftest import make_settings


def series() -> set[str]:
    """Return the name of every series that the service exposes."""
    names = set()
    for metric in vars(Metrics(make_settings("postgresql://nowhere/app"))).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            [family] = metric.describe()
            suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
            names |= {family.name + suffix for suffix in suffixes}
    return names | {"build_info"}
