"""Fixtures of service tests: a session, and services without HTTP."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from app.core.config import Settings
from app.core.passwords import PasswordHasher
from app.core.security import AccessTokens
from app.db.database import Database
from app.db.session import Session
from app.models.user import Role, User
from app.observability.metrics import Metrics
from app.ratelimit.limiter import RateLimiter
from app.services.password_check import PasswordCheck
from app.services.principal import Client, Principal
from tests.factories import PASSWORD

CLIENT = Client("192.0.2.1", "tests")


@pytest.fixture
async def db(database: Database) -> AsyncIterator[Session]:
    """A session whose work is rolled back, unless the test commits it."""
    session = database.unit_of_work().session
    yield session
    await session.close()


@pytest.fixture
def limiter(settings: Settings) -> RateLimiter:
    """Rate limits that count in this process."""
    return RateLimiter(None, Metrics(settings), enabled=True)


@pytest.fixture
def passwords(settings: Settings) -> Iterator[PasswordHasher]:
    """A password hasher with cheap parameters."""
    with PasswordHasher(settings) as passwords:
        yield passwords


@pytest.fixture
def check(database: Database, passwords: PasswordHasher, limiter: RateLimiter, settings: Settings) -> PasswordCheck:
    """The password check of a request."""
    return PasswordCheck(database, passwords, limiter, CLIENT, settings)


@pytest.fixture
def tokens(settings: Settings) -> AccessTokens:
    """Access tokens of the settings."""
    return AccessTokens.from_settings(settings)


@dataclass(frozen=True)
class Users:
    """Creates accounts in the session of the test."""

    db: Session
    passwords: PasswordHasher

    async def create(self, email: str = "ada@example.com", *, role: Role = Role.USER, commit: bool = False) -> User:
        """Create an account with the password of the tests; committed if other connections must see it."""
        hashed = await self.passwords.hash(PASSWORD)
        user = User(email=email, hashed_password=hashed, role=role, is_active=True, is_verified=True)
        self.db.add(user)
        await self.db.flush()
        if commit:
            await self.db.commit()
        return user


@pytest.fixture
def users(db: Session, passwords: PasswordHasher) -> Users:
    """Creates accounts."""
    return Users(db, passwords)


def principal(user: User) -> Principal:
    """Return the caller of an access token of this account."""
    return Principal(user.id, uuid4(), is_admin=user.role == Role.ADMIN, is_verified=user.is_verified)
