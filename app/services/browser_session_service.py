"""Sessions of browsers: the same table and the same revocation as those of tokens."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from uuid_utils.compat import uuid7

from app.core.config import Settings
from app.core.exceptions import ForbiddenError
from app.core.security import AccessClaims
from app.db.session import Session
from app.models.session import UserSession
from app.models.user import Role, User
from app.observability.security_log import SecurityEvent, record
from app.services.password_check import PasswordCheck
from app.services.principal import Client


@dataclass(frozen=True, slots=True)
class BrowserSessionService:
    """Opens sessions that no refresh token continues; a cookie names them."""

    db: Session
    check: PasswordCheck
    client: Client
    settings: Settings

    async def log_in(self, email: str, password: str) -> AccessClaims:
        """Open a session of an administrator; raise InvalidGrantError, TooManyRequestsError or ForbiddenError."""
        account = await self.check.log_in(email, password)
        await account.lock(self.db)
        if await self.db.scalar(select(User.role).where(User.id == account.user_id)) != Role.ADMIN:
            record(SecurityEvent.ACCESS_DENIED, user_id=account.user_id)
            raise ForbiddenError("Only administrators can log in here.")
        now, session_id = datetime.now(UTC), uuid7()
        self.db.add(
            UserSession(
                id=session_id,
                user_id=account.user_id,
                created_at=now,
                last_used_at=now,
                expires_at=now + timedelta(hours=self.settings.browser_session_hours),
                user_agent=self.client.user_agent,
                ip_address=self.client.ip_address,
            )
        )
        await self.db.flush()
        record(SecurityEvent.LOGIN_SUCCEEDED, user_id=account.user_id, address=self.client.ip_address)
        return AccessClaims(account.user_id, session_id)
