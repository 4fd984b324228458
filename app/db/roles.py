"""Timeouts of the database role of the service, for poolers that do not forward startup parameters."""

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.config import Settings
from app.core.database_url import user_of
from app.db.connect import server_settings

log = structlog.get_logger(__name__)

NOT_OF_THE_ROLE = ("application_name",)


async def limit_role(connection: AsyncConnection, settings: Settings) -> None:
    """Set the limits for the role of DATABASE_URL in this database; new connections have them.

    If the role of this connection lacks the privilege, a warning has the statement for an administrator to run.
    """
    role = user_of(settings.database_url.get_secret_value())
    database = await connection.scalar(text("SELECT current_database()"))
    values = {name: value for name, value in server_settings(settings).items() if name not in NOT_OF_THE_ROLE}
    quote = connection.dialect.identifier_preparer.quote_identifier
    for name, value in values.items():
        statement = f"ALTER ROLE {quote(role)} IN DATABASE {quote(str(database))} SET {name} = '{value}'"
        try:
            await connection.execute(text(statement))
            await connection.commit()
        except DBAPIError as error:
            await connection.rollback()
            log.warning("role not limited", statement=statement, error=str(error.orig))
