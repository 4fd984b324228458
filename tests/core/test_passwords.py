"""Password hashing."""

import asyncio

from app.core.exceptions import OverloadedError
from app.core.passwords import PasswordHasher
from tests.conftest import make_settings

DSN = "postgresql://nowhere/app"


async def test_a_hash_fits_its_password_only() -> None:
    """Two hashes of one password differ."""
    with PasswordHasher(make_settings(DSN)) as passwords:
        first, second = await passwords.hash("one password"), await passwords.hash("one password")
        assert first != second
        assert await passwords.verify("one password", first) == (True, None)
        assert await passwords.verify("another password", first) == (False, None)


async def test_an_unknown_account_never_verifies() -> None:
    """The same work is done for it."""
    with PasswordHasher(make_settings(DSN)) as passwords:
        assert await passwords.verify("anything", None) == (False, None)


async def test_new_parameters_give_a_new_hash() -> None:
    """The next login stores it."""
    with (
        PasswordHasher(make_settings(DSN)) as weak,
        PasswordHasher(make_settings(DSN, password_hash_iterations=2)) as strong,
    ):
        old = await weak.hash("one password")
        valid, updated = await strong.verify("one password", old)
        assert valid
        assert updated is not None
        assert await strong.verify("one password", updated) == (True, None)


async def test_a_full_hash_queue_refuses_work_immediately() -> None:
    """This bounds the memory under any load."""
    settings = make_settings(DSN, password_hash_queue=2)
    with PasswordHasher(settings) as passwords:
        results = await asyncio.gather(*(passwords.hash("password") for _ in range(5)), return_exceptions=True)
        assert [isinstance(result, OverloadedError) for result in results] == [False] * 3 + [True] * 2
        assert await passwords.hash("password")
