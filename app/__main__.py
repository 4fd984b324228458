"""`python -m app`."""

import sys

from app.core.exceptions import ConfigurationError

try:
    # Not at the top: `app.main` at the end of this import reads the settings, and a fault there is a message.
    from app.cli import cli
except ConfigurationError as error:
    sys.exit(str(error))

cli()
