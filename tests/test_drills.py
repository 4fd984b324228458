"""The drills."""

from app.core.database_url import PROJECT_ROOT
from drills.__main__ import MODULES


def test_every_module_with_drills_is_imported() -> None:
    """Otherwise its drills are not registered, and never run."""
    with_drills = {path.stem for path in (PROJECT_ROOT / "drills").glob("*.py") if "\n@drill(" in path.read_text()}
    assert {module.__name__.removeprefix("drills.") for module in MODULES} == with_drills
