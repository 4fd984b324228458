"""Print docs/access.md: every operation of the service in development, and who may call it."""

from app.api.access import describe_access, read_operations
from app.core.config import Settings
from app.main import create_application

INTRODUCTION = """\
# Access

Who may call each operation. `make openapi` writes this table from the routes, and a test compares the two, so that a
reviewer sees every change. [identity.md](identity.md#access-levels) explains the levels.
"""


def access_page() -> str:
    """Return the text of docs/access.md."""
    router = create_application(Settings(_env_file=None)).router
    return f"{INTRODUCTION}\n{describe_access(read_operations(router))}"


if __name__ == "__main__":
    print(access_page(), end="")
