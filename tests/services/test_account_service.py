"""Registration, passwords and links from mails, without HTTP."""

from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, text

from app.core.config import Settings
from app.core.exceptions import TooManyRequestsError, UnitOfWorkLostError
from app.core.passwords import PasswordHasher
from app.core.refusals import (
    EmailTakenError,
    InvalidGrantError,
    PasswordIncorrectError,
    PasswordTooCommonError,
    TokenInvalidError,
)
from app.db.database import Database
from app.db.queue import flush_jobs
from app.db.session import Session
from app.models.one_time_token import OneTimeToken, Purpose
from app.models.user import User
from app.ratelimit.limiter import RateLimiter
from app.schemas.account import EmailChange, PasswordChange, PasswordReset
from app.schemas.user import UserCreate
from app.services.account_service import AccountService, RecoveryService
from app.services.one_time_tokens import find_account, issue_token, use_token, void_tokens
from app.services.password_check import PasswordCheck
from app.services.registration_service import RegistrationService
from tests.factories import PASSWORD
from tests.services.conftest import Users, principal

NEW_PASSWORD = SecretStr("another horse battery staple")
HOUR = timedelta(hours=1)


async def mails(db: Session) -> list[str]:
    """Return the kinds of jobs that the session would enqueue."""
    await flush_jobs(db)
    return list(await db.scalars(text("SELECT entrypoint FROM pgqueuer ORDER BY id")))


async def test_registration_creates_an_account_and_a_mail(
    db: Session, passwords: PasswordHasher, settings: Settings
) -> None:
    """A second registration with the address is refused."""
    service = RegistrationService(db, passwords, settings)
    data = UserCreate(email="ada@example.com", password=SecretStr(PASSWORD))
    user = await service.register(data)
    assert (user.email, user.is_verified) == ("ada@example.com", False)
    assert await mails(db) == ["send_verify_email_mail"]
    with pytest.raises(EmailTakenError):
        await service.register(data)
    with pytest.raises(PasswordTooCommonError):
        await service.register(UserCreate(email="lovelace-1815@example.com", password=SecretStr("lovelace-1815")))


async def test_registration_reveals_nothing_if_so_configured(
    db: Session, passwords: PasswordHasher, settings: Settings, limiter: RateLimiter
) -> None:
    """The owner of a taken address gets a mail, once a day."""
    silent = settings.model_copy(update={"registration_reveals_accounts": False})
    service = RegistrationService(db, passwords, silent, limiter)
    data = UserCreate(email="ada@example.com", password=SecretStr(PASSWORD))
    for _ in range(3):
        assert await service.sign_up(data) is None
    assert await mails(db) == ["send_verify_email_mail", "send_account_notice"]


async def test_a_password_is_changed_with_the_current_one(
    db: Session, users: Users, check: PasswordCheck, passwords: PasswordHasher, settings: Settings
) -> None:
    """The owner gets a mail."""
    ada = await users.create(commit=True)
    service = AccountService(db, principal(ada), check, passwords, settings)
    with pytest.raises(PasswordIncorrectError):
        await service.change_password(PasswordChange(current_password=SecretStr("x"), new_password=NEW_PASSWORD))
    await service.change_password(PasswordChange(current_password=SecretStr(PASSWORD), new_password=NEW_PASSWORD))
    assert await mails(db) == ["send_account_notice"]
    await db.commit()
    await check.log_in(ada.email, NEW_PASSWORD.get_secret_value())


async def test_a_new_address_must_be_free(
    db: Session, users: Users, check: PasswordCheck, passwords: PasswordHasher, settings: Settings
) -> None:
    """The link goes to the new address, a notice to the current one."""
    ada = await users.create(commit=True)
    await users.create("bob@example.com", commit=True)
    service = AccountService(db, principal(ada), check, passwords, settings)
    with pytest.raises(EmailTakenError):
        await service.request_email_change(EmailChange(email="bob@example.com", password=SecretStr(PASSWORD)))
    await service.request_email_change(EmailChange(email="ada@example.org", password=SecretStr(PASSWORD)))
    assert sorted(await mails(db)) == ["send_account_notice", "send_change_email_mail"]


async def test_a_link_works_once(
    db: Session, users: Users, database: Database, passwords: PasswordHasher, check: PasswordCheck
) -> None:
    """It sets the password and invalidates the other links."""
    ada = await users.create(commit=True)
    service = RecoveryService(db, database, passwords, check)
    _, token = await issue_token(db, ada.id, Purpose.RESET_PASSWORD, ada.email, HOUR)
    await issue_token(db, ada.id, Purpose.RESET_PASSWORD, ada.email, HOUR)
    await db.commit()
    reset = PasswordReset(token=SecretStr(token), new_password=NEW_PASSWORD)
    await service.reset_password(reset)
    await db.commit()
    assert await db.scalar(select(func.count()).select_from(OneTimeToken)) == 0
    with pytest.raises(TokenInvalidError):
        await service.reset_password(reset)
    await check.log_in(ada.email, NEW_PASSWORD.get_secret_value())


async def test_a_link_moves_the_account_to_its_new_address(
    db: Session, users: Users, database: Database, passwords: PasswordHasher, check: PasswordCheck
) -> None:
    """If another account has the address by then, it is refused."""
    ada = await users.create(commit=True)
    service = RecoveryService(db, database, passwords, check)
    _, first = await issue_token(db, ada.id, Purpose.CHANGE_EMAIL, "new@example.com", HOUR)
    _, second = await issue_token(db, ada.id, Purpose.CHANGE_EMAIL, "bob@example.com", HOUR)
    await users.create("bob@example.com", commit=True)
    with pytest.raises(TokenInvalidError):
        await service.verify_email(second)
    await db.rollback()
    await service.verify_email(first)
    assert await db.scalar(select(User.email).where(User.id == ada.id)) == "new@example.com"


async def test_a_token_has_one_purpose_and_an_end(db: Session, users: Users) -> None:
    """It can be looked up without being used, and revoked."""
    ada = await users.create()
    _, token = await issue_token(db, ada.id, Purpose.VERIFY_EMAIL, ada.email, HOUR)
    _, expired = await issue_token(db, ada.id, Purpose.VERIFY_EMAIL, ada.email, -HOUR)
    assert await find_account(db, token, Purpose.VERIFY_EMAIL) == ada.id
    for wrong, purpose in ((token, Purpose.RESET_PASSWORD), (expired, Purpose.VERIFY_EMAIL)):
        with pytest.raises(TokenInvalidError):
            await use_token(db, wrong, purpose)
    await void_tokens(db, ada.id, Purpose.VERIFY_EMAIL)
    with pytest.raises(TokenInvalidError):
        await use_token(db, token, Purpose.VERIFY_EMAIL)


async def test_a_password_is_checked_at_a_bounded_rate(users: Users, check: PasswordCheck) -> None:
    """A wrong password and an unknown account get the same error; above the limit no password is verified."""
    ada = await users.create(commit=True)
    for email in (ada.email, "nobody@example.com"):
        with pytest.raises(InvalidGrantError):
            await check.log_in(email, "wrong")
    for _ in range(9):
        with pytest.raises(InvalidGrantError):
            await check.log_in(ada.email, "wrong")
    with pytest.raises(TooManyRequestsError):
        await check.log_in(ada.email, PASSWORD)


async def test_a_verified_password_is_checked_again_under_the_lock(
    db: Session, users: Users, check: PasswordCheck
) -> None:
    """If the account has changed, the request is retried."""
    ada = await users.create(commit=True)
    verified = await check.log_in(ada.email, PASSWORD)
    await verified.lock(db)
    ada.email = "other@example.com"
    await db.flush()
    with pytest.raises(UnitOfWorkLostError):
        await verified.lock(db)
