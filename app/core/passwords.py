"""Password hashing: argon2id, away from the event loop and never more of it than the process can bear."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.core.config import Settings
from app.core.exceptions import OverloadedError

NICENESS = 19
T = TypeVar("T")


def _yield_the_core() -> None:
    # On Linux niceness belongs to the thread: hashing takes the time that requests leave over.
    if hasattr(os, "nice"):
        os.nice(NICENESS)


class PasswordHasher:
    """Hashes and verifies passwords in a few threads of low priority.

    Each hash takes `PASSWORD_HASH_MEMORY_KIB`, so threads and queue are bounded: whoever comes when the queue is
    full gets an OverloadedError at once.
    """

    def __init__(self, settings: Settings) -> None:
        """Start no thread yet; hash one password now, to verify against when an account is unknown."""
        argon2 = Argon2Hasher(
            time_cost=settings.password_hash_iterations,
            memory_cost=settings.password_hash_memory_kib,
            parallelism=1,
        )
        self._hash = PasswordHash((argon2,))
        self._threads = ThreadPoolExecutor(settings.password_hash_threads, "password", initializer=_yield_the_core)
        self._free = settings.password_hash_threads + settings.password_hash_queue
        self._decoy = self._hash.hash(os.urandom(16).hex())

    def __enter__(self) -> Self:
        """Hold the threads for the life of the process."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Let go of the threads; work that has not begun is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Hash a password with a new salt; the answer is a PHC string."""
        return await self._run(lambda: self._hash.hash(password))

    async def verify(self, password: str, hashed: str | None) -> tuple[bool, str | None]:
        """Compare, and give a new hash where the parameters have changed since.

        `hashed` is None for an unknown account: the same work is done and the answer is False.
        """
        valid, updated = await self._run(lambda: self._hash.verify_and_update(password, hashed or self._decoy))
        return (valid, updated) if hashed else (False, None)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._free == 0:
            raise OverloadedError
        self._free -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._free += 1
