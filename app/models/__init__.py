"""The tables, one a module; importing this package registers all of them."""

from app.models.idempotency_key import IdempotencyKey
from app.models.item import Item
from app.models.one_time_token import OneTimeToken
from app.models.refresh_token import RefreshToken
from app.models.session import UserSession
from app.models.user import User

__all__ = ["IdempotencyKey", "Item", "OneTimeToken", "RefreshToken", "User", "UserSession"]
