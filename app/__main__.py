"""`python -m app`."""

import sys

from app.cli import cli
from app.core.exceptions import ConfigurationError

try:
    cli()
except ConfigurationError as error:
    sys.exit(str(error))
