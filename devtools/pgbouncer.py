"""PgBouncer in transaction mode, for tests and drills (Debian: pgbouncer)."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools.loopback import free_port

SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
UNPRIVILEGED_USER = "nobody"
CONFIGURATION = """
[databases]
* = host={socket_directory}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = 5
max_client_conn = 500
"""


def is_installed() -> bool:
    """Return whether PgBouncer is installed."""
    return shutil.which("pgbouncer", path=SEARCH_PATH) is not None


@contextmanager
def running_pgbouncer(folder: Path, socket_directory: Path) -> Iterator[int]:
    """Run a PgBouncer that forwards no startup parameters, with five server connections; yield its port."""
    port = free_port()
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(CONFIGURATION.format(socket_directory=socket_directory, port=port, folder=folder))
    (folder / "users.txt").write_text('"postgres" ""\n')
    program = shutil.which("pgbouncer", path=SEARCH_PATH) or "pgbouncer"
    # Like PostgreSQL, it does not run as root.
    user = pwd.getpwnam(UNPRIVILEGED_USER).pw_uid if os.geteuid() == 0 else None
    with (folder / "pgbouncer.log").open("ab") as log:
        process = subprocess.Popen([program, configuration], user=user, stdout=log, stderr=log)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()
