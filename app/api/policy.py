"""Who may call what: one line an operation. The document says it, and the tests try every line with everyone."""

from enum import StrEnum


class Access(StrEnum):
    """Who may call an operation, and on whose things."""

    ANYONE = "anyone"
    USER = "user"
    """Whoever is logged in, on what is theirs; what is another's does not exist for them."""
    USER_OR_ADMIN = "user or administrator"
    """The same, and administrators on everyone's."""
    ADMIN = "administrator"


POLICY: dict[str, Access] = {
    # items
    "create_item": Access.USER,
    "list_items": Access.USER,
    "read_item": Access.USER,
    "update_item": Access.USER,
    "delete_item": Access.USER,
    # users
    "create_user": Access.ANYONE,
    "read_current_user": Access.USER,
    "update_current_user": Access.USER,
    "delete_current_user": Access.USER,
    "change_password": Access.USER,
    "change_email": Access.USER,
    "read_user": Access.USER_OR_ADMIN,
    "list_users": Access.ADMIN,
    "update_user": Access.ADMIN,
    "delete_user": Access.ADMIN,
    "read_current_user_v2": Access.USER,
    "read_user_v2": Access.USER_OR_ADMIN,
    "list_users_v2": Access.ADMIN,
    # auth
    "create_token": Access.ANYONE,
    "revoke_token": Access.ANYONE,
    "list_sessions": Access.USER,
    "revoke_session": Access.USER,
    "revoke_other_sessions": Access.USER,
    "verify_email": Access.ANYONE,
    "request_verification": Access.USER,
    "forgot_password": Access.ANYONE,
    "reset_password": Access.ANYONE,
    # jobs
    "list_jobs": Access.ADMIN,
    "requeue_job": Access.ADMIN,
    "cancel_job": Access.ADMIN,
    # health
    "read_liveness": Access.ANYONE,
    "read_readiness": Access.ANYONE,
    "read_health": Access.ANYONE,
}
