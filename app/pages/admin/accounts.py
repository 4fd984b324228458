"""Accounts: search, disable, change the role, end sessions, send a reset."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.core.exceptions import DomainError
from app.dependencies import Db
from app.pages.admin.page import Admin, SearchForm
from app.pages.html import PageRoute
from app.schemas.user import UserAdminUpdate, UserQuery
from app.services.session_admin_service import SessionAdminService
from app.services.user_service import UserAdminService

router = APIRouter(prefix="/admin", include_in_schema=False, route_class=PageRoute)


class AccountSearch(SearchForm, UserQuery):
    """The search form."""


Filters = Annotated[AccountSearch, Query()]
Role = Annotated[Literal["user", "admin"], Form()]


async def get_accounts(db: Db, admin: Admin) -> UserAdminService:
    """Return the service that lists and changes accounts."""
    return UserAdminService(db, admin.user)


Accounts = Annotated[UserAdminService, Depends(get_accounts)]


@router.get("")
@router.get("/accounts")
async def list_accounts(admin: Admin, accounts: Accounts, query: Filters) -> HTMLResponse:
    """List the accounts that match, oldest first."""
    return admin.render("admin/accounts.html", "accounts", page=await accounts.list(query), query=query)


@router.get("/accounts/{user_id}")
async def show_account(admin: Admin, accounts: Accounts, user_id: UUID) -> HTMLResponse:
    """Show an account, and what can be done with it."""
    return admin.render("admin/account.html", "accounts", account=await accounts.get(user_id), error=None)


@router.post("/accounts/{user_id}/disable")
async def disable_account(admin: Admin, accounts: Accounts, user_id: UUID) -> Response:
    """Disable the account. Its sessions end."""
    return await _change(admin, accounts, user_id, UserAdminUpdate(is_active=False))


@router.post("/accounts/{user_id}/enable")
async def enable_account(admin: Admin, accounts: Accounts, user_id: UUID) -> Response:
    """Let the account be used again."""
    return await _change(admin, accounts, user_id, UserAdminUpdate(is_active=True))


@router.post("/accounts/{user_id}/role")
async def change_role(admin: Admin, accounts: Accounts, user_id: UUID, role: Role) -> Response:
    """Make the account an administrator, or a user."""
    return await _change(admin, accounts, user_id, UserAdminUpdate(role=role))


@router.post("/accounts/{user_id}/sessions")
async def end_sessions(admin: Admin, db: Db, user_id: UUID) -> RedirectResponse:
    """End all sessions of the account."""
    await SessionAdminService(db, admin.user).revoke_all(user_id)
    return admin.redirect(f"/admin/accounts/{user_id}")


@router.post("/accounts/{user_id}/reset")
async def send_reset(admin: Admin, accounts: Accounts, user_id: UUID) -> RedirectResponse:
    """Send a link that resets the password."""
    await accounts.send_reset(user_id)
    return admin.redirect(f"/admin/accounts/{user_id}")


async def _change(admin: Admin, accounts: UserAdminService, user_id: UUID, data: UserAdminUpdate) -> Response:
    """Change the account, or show why it cannot be changed."""
    try:
        await accounts.update(user_id, data)
    except DomainError as refusal:
        if refusal.status != 409:  # noqa: PLR2004  a rule about accounts
            raise
        await accounts.db.rollback()
        account = await accounts.get(user_id)
        return admin.render("admin/account.html", "accounts", status=409, account=account, error=refusal.detail)
    return admin.redirect(f"/admin/accounts/{user_id}")
