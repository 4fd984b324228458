"""`make image`: build the image, report its size, and run it as production would: read-only, without privileges.

With a Docker engine this is `docker build`. Without one it uses podman, as root; if the base image cannot be pulled, it
builds a replacement of Debian packages (debootstrap).
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from app.core.database_url import PROJECT_ROOT
from devtools.engine import BASE, Engine, make_base
from devtools.loopback import wait_for
from devtools.postgres import running_postgres

IMAGE = "dayone:latest"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
GROUPS = Path("/sys/fs/cgroup")
USER = "10001"
START_SECONDS, GRACE_SECONDS = 2.0, 10.0
UNWANTED = r"""
for tool in gcc cc make git; do command -v $tool; done
find /srv /opt /home /var/cache/apt \( -name .git -o -name .env -o -name '*.deb' -o -path /srv/tests \)
"""


def build(engine: Engine) -> None:
    """Build the image, without the files that git ignores."""
    if engine.is_docker:
        engine.run("build", "--tag", IMAGE, PROJECT_ROOT)
        return
    if not engine.has(BASE):
        make_base(engine)
    isolation = ("--isolation=chroot", "--network=host", "--pull=never", "--format=docker", "--layers")
    # The trusted certificates of this machine, for the package index; they are not part of the image.
    trusted = f"--volume={CERTIFICATES}:{CERTIFICATES}:ro"
    engine.run("build", *isolation, trusted, "--tag", IMAGE, PROJECT_ROOT)


def report(engine: Engine) -> None:
    """Print the size of the image and of its layers."""
    [image] = json.loads(engine.run("image", "inspect", IMAGE))
    print(f"{IMAGE}: {image['Size'] / 1e6:.0f} MB, user {image['Config']['User']}")
    print(
        engine.run("history", "--no-trunc", "--format", "{{.Size}}\t{{.CreatedBy}}", IMAGE).replace("/bin/sh -c ", "")
    )


@contextmanager
def container(engine: Engine, environment: dict[str, str], command: str) -> Iterator[str]:
    """Run the image without privileges and with a read-only root file system; yield the id of the container."""
    limits = () if engine.is_docker else ("--cgroups=disabled", "--ulimit=nofile=4096", "--ulimit=nproc=4096")
    safe = ("--read-only", "--tmpfs=/tmp", "--cap-drop=all", "--security-opt=no-new-privileges", "--network=host")
    variables = [f"--env={name}={value}" for name, value in environment.items()]
    # The socket of the database, which has no other address.
    mounts = f"--volume={environment['DATABASE_FOLDER']}:{environment['DATABASE_FOLDER']}"
    name = engine.run("run", "--detach", *limits, *safe, mounts, *variables, IMAGE, command)
    try:
        yield name
    finally:
        engine.run("rm", "--force", name)


def expect(is_so: object, promise: str) -> None:
    """Print an expectation, and exit if it is not met."""
    print(f"{'ok    ' if is_so else 'BROKEN'} {promise}", flush=True)
    if not is_so:
        sys.exit(1)


def drill(engine: Engine, environment: dict[str, str]) -> None:
    """Migrate, serve and stop, and inspect the container."""
    address = f"http://127.0.0.1:{environment['PORT']}"
    with container(engine, environment, "migrate") as migrating:
        expect(engine.run("wait", migrating) == "0", "migrates")
    with container(engine, environment, "serve") as serving:
        seconds = wait_for(f"{address}/health/live")
        expect(seconds < START_SECONDS, f"alive {seconds:.1f} s after its start, of {START_SECONDS:g}")
        account = {"email": "image@example.com", "password": "wrong horse battery staple"}
        expect(httpx2.post(f"{address}/api/v1/users", json=account, timeout=10).status_code == 201, "serves")  # noqa: PLR2004
        expect(engine.run("exec", serving, "id", "-u") == USER, f"runs as user {USER}")
        writing = engine.command("exec", serving, "touch", "/srv/x")
        expect(subprocess.run(writing, capture_output=True, check=False).returncode, "cannot write to its file system")
        found = engine.run("exec", serving, "sh", "-c", f"{UNWANTED} true").split()
        expect(not found, f"holds no compiler, tests, secrets or caches {found or ''}")
        [image] = json.loads(engine.run("image", "inspect", IMAGE))
        check = image.get("Healthcheck") or image["Config"]["Healthcheck"]
        expect(engine.run("exec", serving, *check["Test"][1:]) == "", "its health check passes")
        started = time.monotonic()
        engine.run("kill", "--signal=TERM", serving)
        code, seconds = engine.run("wait", serving), time.monotonic() - started
        expect(code == "0" and seconds < GRACE_SECONDS, f"exits {code} {seconds:.1f} s after SIGTERM")


def main() -> None:
    """Build, report and drill."""
    engine = Engine()
    build(engine)
    report(engine)
    folder = Path(tempfile.mkdtemp(prefix="image-"))
    folder.chmod(0o755)
    try:
        with running_postgres(folder / "pg") as postgres:
            postgres.create_database("app")
            postgres.socket_directory.chmod(0o755)
            environment = {
                "ENVIRONMENT": "production",
                "DATABASE_URL": f"postgresql://postgres@/app?host={postgres.socket_directory}",
                "DATABASE_FOLDER": str(postgres.socket_directory),
                "SECRET_KEY": secrets.token_urlsafe(48),
                "PUBLIC_URL": "https://localhost",
                "SMTP_URL": "smtp://localhost",
                "HOST": "127.0.0.1",
                "PORT": "18080",
                "SHUTDOWN_DRAIN_SECONDS": "1",
            }
            drill(engine, environment)
    finally:
        shutil.rmtree(folder)


def alone_with_new_groups() -> None:
    """Restart in a mount namespace with only version 2 of cgroups, as crun requires."""
    if os.geteuid() == 0 and not (GROUPS / "cgroup.controllers").exists() and "--inside" not in sys.argv:
        inside = f"mount -t cgroup2 none {GROUPS} && exec {sys.executable} -m devtools.image --inside"
        os.execvp("unshare", ["unshare", "--mount", "--propagation=private", "sh", "-c", inside])  # noqa: S606


if __name__ == "__main__":
    alone_with_new_groups()
    main()
