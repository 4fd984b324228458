"""Password hashing: argon2id in a bounded number of threads."""

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
    # On Linux each thread has a niceness: hashing uses the CPU time that requests leave.
    if hasattr(os, "nice"):
        os.nice(NICENESS)


class PasswordHasher:
    """Hashes and verifies passwords in a few threads of low priority.

    Each hash takes `PASSWORD_HASH_MEMORY_KIB`, so threads and queue are bounded: if the queue is full, OverloadedError
    is raised immediately.
    """

    def __init__(self, settings: Settings) -> None:
        """Hash one password, to verify against if an account is unknown. No thread starts yet."""
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
        """Start the thread pool."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop the thread pool; waiting work is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Hash a password with a new salt; return a PHC string."""
        return await self._run(lambda: self._hash.hash(password))

    async def verify(self, password: str, hashed: str | None) -> tuple[bool, str | None]:
        """Return whether the password matches, and a new hash if the parameters have changed.

        `hashed` is None for an unknown account: the same work is done, and the result is False.
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
