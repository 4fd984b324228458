"""Tokens."""

from fastapi import APIRouter

from app.api.openapi import problems
from app.core.exceptions import (
    InvalidGrantError,
    InvalidHostError,
    InvalidTokenRequestError,
    UnsupportedGrantTypeError,
)
from app.dependencies import Auth, TokenForm
from app.schemas.token import TokenRead

router = APIRouter(prefix="/auth", tags=["auth"])
REFUSALS = (InvalidHostError, InvalidGrantError, InvalidTokenRequestError, UnsupportedGrantTypeError)


@router.post("/token", responses=problems(*REFUSALS))
async def create_token(auth: Auth, form: TokenForm) -> TokenRead:
    """Exchange an e-mail address and a password for an access token (RFC 6749, section 4.3)."""
    return await auth.grant_token(form)
