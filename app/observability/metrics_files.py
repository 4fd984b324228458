"""The metrics files of worker processes: one set for each worker slot, with their space allocated in advance.

prometheus_client maps these files into memory, where a full disk raises SIGBUS. It names them after processes by
default, so that each replaced worker would leave its files behind.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

FILE_KINDS = {
    "counter": 262_144,
    "histogram": 262_144,
    "gauge_livesum": 65_536,
    "gauge_mostrecent": 65_536,
    "gauge_max": 65_536,
}
"""The kinds of files and their sizes in bytes, several times what the metrics of this service need."""
MASTER = "master"
_slot = MASTER


def reserve(slots: int) -> Path | None:
    """Create a folder with files for `slots` workers and their master; return None if there is not enough space."""
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix="metrics-"))
        for slot in (MASTER, *map(str, range(slots))):
            for kind, size in FILE_KINDS.items():
                with (folder / f"{kind}_{slot}.db").open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, size)
    except OSError:  # Python finds no temporary folder if nothing can be written.
        if folder:
            release(folder)
        return None
    values.ValueClass = values.MultiProcessValue(process_identifier=lambda: _slot)  # type: ignore[no-untyped-call]
    return folder


def enter_slot(slot: int) -> None:
    """Use the files of this slot, and continue the values of the previous worker."""
    global _slot  # noqa: PLW0603  a process has one slot, and prometheus_client asks a function for it
    _slot = str(slot)


def leave_slot(folder: Path, slot: int) -> None:
    """Set the gauges of a worker that has ended to zero; its counters stay."""
    gauges: Any = MmapedDict(str(folder / f"gauge_livesum_{slot}.db"))  # type: ignore[no-untyped-call]  # not annotated
    for key, _, _ in list(gauges.read_all_values()):
        gauges.write_value(key, 0.0, 0.0)
    gauges.close()


def release(folder: Path) -> None:
    """Delete the files."""
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
