"""Sessions of browsers: the same table and the same revocation as those of tokens."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from app.core.config import Settings
from app.core.exceptions import ForbiddenError
from app.core.security import AccessClaims
from app.db.session import Session
from app.models.user import Role, User
from app.observability.security_log import SecurityEvent, record
from app.services.password_check import PasswordCheck
from app.services.principal import Client
from app.services.session_service import end_session, open_session


@dataclass(frozen=True, slots=True)
class BrowserSessionService:
    """Opens sessions that no refresh token continues; a cookie names them."""

    db: Session
    check: PasswordCheck
    client: Client
    settings: Settings
    previous: AccessClaims | None
    """The claims of the session cookie that was sent with the login."""

    async def log_in(self, email: str, password: str, *, only_administrators: bool = False) -> AccessClaims:
        """Open a session, and end the previous one of this browser.

        Raises InvalidGrantError or TooManyRequestsError; with `only_administrators` also ForbiddenError for users.
        """
        account = await self.check.log_in(email, password)
        await account.lock(self.db)
        if only_administrators and not await self._is_administrator(account.user_id):
            record(SecurityEvent.ACCESS_DENIED, user_id=account.user_id)
            raise ForbiddenError("Only administrators can log in here.")
        lifetime = timedelta(hours=self.settings.browser_session_hours)
        session_id = await open_session(self.db, account.user_id, self.client, lifetime)
        if self.previous is not None:
            await end_session(self.db, self.previous.user_id, self.previous.session_id)
        record(SecurityEvent.LOGIN_SUCCEEDED, user_id=account.user_id, address=self.client.ip_address)
        return AccessClaims(account.user_id, session_id)

    async def _is_administrator(self, user_id: UUID) -> bool:
        return await self.db.scalar(select(User.role).where(User.id == user_id)) == Role.ADMIN
