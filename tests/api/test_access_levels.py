"""Access levels, which every route must declare."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from app.api import health, metrics
from app.api.access import Access, AccessError, PublicMount, read_operations
from app.core.database_url import PROJECT_ROOT
from app.dependencies import Administrator, CurrentUser, OptionalUser, Public, VerifiedUser
from devtools.access import access_page
from tests.conftest import make_settings, serving
from tests.notes.application import create_notes_application

DSN = "postgresql://nobody@127.0.0.1:1/test"


async def user_service(user: CurrentUser) -> object:
    """Depend on the caller, as a provider of a service does."""
    return user


UserService = Annotated[object, Depends(user_service)]


async def undeclared() -> None:
    """Declare no access level."""


async def for_optional_users(_: OptionalUser) -> None:
    """Declare a level in the signature."""


async def for_users(_: UserService) -> None:
    """Declare a level through a service."""


async def for_verified_users(_user: VerifiedUser, _service: UserService) -> None:
    """Declare a level that includes the level of a service."""


async def for_administrators(_user: Administrator, _service: UserService) -> None:
    """Declare a level that includes the level of a service."""


async def for_two_kinds(_user: VerifiedUser, _administrator: Administrator) -> None:
    """Declare two levels, neither of which includes the other."""


def application(handler: Callable[..., Any], *, public: bool = False) -> FastAPI:
    """The application, started."""
    app = FastAPI(openapi_url=None)
    app.get("/thing", dependencies=[Public] if public else [])(handler)
    return app


@pytest.mark.parametrize(
    ("handler", "public", "level"),
    [
        (undeclared, True, Access.PUBLIC),
        (for_optional_users, False, Access.OPTIONAL_USER),
        (for_users, False, Access.USER),
        (for_verified_users, False, Access.VERIFIED_USER),
        (for_administrators, False, Access.ADMINISTRATOR),
    ],
)
def test_a_level_is_named_in_the_signature_or_with_the_router(
    handler: Callable[..., Any], level: Access, *, public: bool
) -> None:
    """A level includes those that it is built on."""
    [operation] = read_operations(application(handler, public=public).router)
    assert (operation.method, operation.path, operation.access) == ("GET", "/thing", level)


@pytest.mark.parametrize(
    ("handler", "public", "message"),
    [
        (undeclared, False, "/thing (undeclared) has no access level"),
        (for_users, True, "/thing (for_users) names PUBLIC and USER"),
        (for_two_kinds, False, "/thing (for_two_kinds) names ADMINISTRATOR and VERIFIED_USER"),
    ],
)
def test_an_operation_without_exactly_one_level_is_refused(
    handler: Callable[..., Any], message: str, *, public: bool
) -> None:
    """The message names the operation and the remedy."""
    with pytest.raises(AccessError) as raised:
        read_operations(application(handler, public=public).router)
    assert str(raised.value).startswith(message)
    assert "ask for OptionalUser, CurrentUser," in str(raised.value)


async def plain(_: object) -> PlainTextResponse:
    """Respond without FastAPI."""
    return PlainTextResponse("hello")


@pytest.mark.parametrize("route", [Route("/plain", plain), Mount("/files", StaticFiles(directory=PROJECT_ROOT))])
async def test_the_application_does_not_start_with_a_route_without_an_access_level(route: Route | Mount) -> None:
    """This includes plain Starlette routes and mounted applications."""
    app = create_notes_application(make_settings(DSN))
    app.router.routes.append(route)
    with pytest.raises(AccessError):
        async with serving(app):
            pass


async def test_the_application_does_not_start_with_a_front_end_without_an_access_level(tmp_path: Path) -> None:
    """FastAPI keeps front ends apart from the other routes."""
    (tmp_path / "index.html").write_text("hello")
    app = create_notes_application(make_settings(DSN))
    app.frontend("/", directory=tmp_path)
    with pytest.raises(AccessError):
        async with serving(app):
            pass


def test_what_is_answered_before_the_router_has_a_route_with_a_level() -> None:
    """`ProbesMiddleware` answers probes and metrics, and routes describe them."""
    paths = {operation.path for operation in read_operations(create_notes_application(make_settings(DSN)).router)}
    assert {*health.ANSWERS, *metrics.ANSWERS} <= paths


def test_a_public_mount_is_declared() -> None:
    """Static files for everyone."""
    app = FastAPI(openapi_url=None)
    app.router.routes.append(PublicMount("/files", StaticFiles(directory=PROJECT_ROOT), name="files"))
    [operation] = read_operations(app.router)
    assert (operation.method, operation.path, operation.access) == ("ANY", "/files", Access.PUBLIC)


def test_the_table_of_operations_is_the_reviewed_one() -> None:
    """A reviewer sees every change of access levels in docs/access.md, which `make openapi` writes."""
    assert access_page() == (PROJECT_ROOT / "docs" / "access.md").read_text()
