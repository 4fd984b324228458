"""`python -m app`."""

import sys

from app.cli import cli
from app.core.exceptions import ConfigurationError, DomainError

try:
    cli()
except ConfigurationError as error:
    sys.exit(str(error))
except DomainError as error:
    sys.exit(error.reason or error.detail)
