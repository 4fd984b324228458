"""Private names of libraries that the service uses: each test fails clearly when a release changes one."""

from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from httpx2 import ASGITransport, AsyncClient
from sqlalchemy import insert, inspect
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.orm import configure_mappers
from sqlalchemy.pool import AsyncAdaptedQueuePool
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import Server

from app.api.docs import assets
from app.core.password_policy import common_passwords
from app.models.user import User


async def test_fastapi_keeps_an_exit_stack_and_the_template_of_the_route() -> None:
    """`app/dependencies.py` enters sessions on the stack; `app/middleware/logging.py` reads the template."""
    seen: dict[str, Any] = {}
    router = APIRouter()

    async def look(request: Request) -> None:
        seen["stack"] = request.scope["fastapi_function_astack"]
        seen["path"] = request.scope["fastapi"]["effective_route_context"].path

    @router.get("/things/{number}")
    async def read_thing(number: int, _: Annotated[None, Depends(look)]) -> int:
        return number

    app = FastAPI()
    app.include_router(router, prefix="/v1")
    async with AsyncClient(transport=ASGITransport(app), base_url="http://localhost") as client:
        assert (await client.get("/v1/things/1")).status_code == 200
    assert isinstance(seen["stack"], AsyncExitStack)
    assert seen["path"] == "/v1/things/{number}"


def test_fastapi_keeps_front_ends_apart(tmp_path: Path) -> None:
    """`app/api/access.py` reads them."""
    (tmp_path / "index.html").write_text("hello")
    app = FastAPI()
    app.frontend("/", directory=tmp_path)
    assert len(list(app.router._iter_low_priority_routes())) == 1  # noqa: SLF001


def test_packages_have_the_files_that_are_read_without_importing_them() -> None:
    """`app/core/password_policy.py` and `app/api/docs.py`."""
    assert len(common_passwords()) == 30_000
    assert {"swagger-ui-bundle.js", "redoc.standalone.js"} <= {path.name for path in assets().iterdir()}


def test_gunicorn_has_the_hooks_of_the_worker() -> None:
    """`gunicorn.conf.py` overrides `_serve`, and reads the workers of the arbiter."""
    worker = import_module("uvicorn_worker").UvicornWorker
    assert {"_serve", "_install_sigquit_handler"} <= vars(worker).keys()
    assert import_module("gunicorn.arbiter").Arbiter.WORKERS == {}


def test_uvicorn_notes_signals_and_has_the_hooks_of_the_protocol() -> None:
    """`app/server.py` reads the signals and overrides the hooks."""
    server = Server(Config(app=FastAPI()))
    assert server._captured_signals == []  # noqa: SLF001
    hooks = ("connection_made", "on_message_begin", "on_header", "on_body", "on_headers_complete", "data_received")
    for name in (*hooks, "shutdown", "connection_lost"):
        assert name in vars(HttpToolsProtocol), name
    for name in ("startup", "main_loop", "shutdown"):
        assert name in vars(Server), name


def test_the_pool_of_sqlalchemy_has_the_hooks_that_the_fifo_pool_overrides() -> None:
    """`app/db/pool.py` overrides them, and invalidates connections by their age."""
    pool = AsyncAdaptedQueuePool(lambda: None)  # type: ignore[arg-type]  # never called
    assert callable(pool._do_get)  # noqa: SLF001
    assert callable(pool._do_return_conn)  # noqa: SLF001
    assert pool._invalidate_time == 0  # noqa: SLF001


def test_instances_keep_their_state_in_one_attribute() -> None:
    """`app/db/entities.py` creates instances without a session."""
    configure_mappers()
    user = User.__new__(User)
    inspect(User).class_manager.setup_instance(user)
    assert user.__dict__["_sa_instance_state"].key is None
    assert inspect(user).obj() is user


def test_compiled_statements_have_the_order_of_their_parameters() -> None:
    """`app/db/traced.py` binds them by position."""
    statement = insert(User).values(email="a@example.com").returning(User.id)
    compiled: Any = statement.compile(dialect=dialect())  # type: ignore[no-untyped-call]
    assert "email" in compiled.positiontup
    assert [column.name for column in compiled.insert_prefetch] == ["id"]
    assert statement._returning  # noqa: SLF001
