"""Trees of files in memory, so that nothing on disk changes before everything has succeeded."""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dayone.errors import ToolError


@dataclass(frozen=True, slots=True)
class File:
    """The content of a file."""

    data: bytes
    is_executable: bool = False

    @property
    def text(self) -> str | None:
        """The text, or None for a binary file."""
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            return None


class Tree(dict[str, File]):
    """Files by their path, which is relative and has forward slashes."""

    def text(self, path: str) -> str:
        """Return the text of a file; raise ToolError if there is no such text file."""
        text = self[path].text if path in self else None
        if text is None:
            raise ToolError(f"{path} does not exist or is not a text file")
        return text

    def write(self, path: str, text: str) -> None:
        """Create or replace the text of a file."""
        is_executable = path in self and self[path].is_executable
        self[path] = File(text.encode(), is_executable)

    def below(self, folder: str) -> Iterator[str]:
        """Yield the path itself, if it is a file, and all paths below it."""
        yield from (path for path in self if path == folder or path.startswith(f"{folder}/"))

    def copy(self) -> "Tree":
        """Return a tree that can be changed independently."""
        return Tree(self)

    def save(self, folder: Path) -> None:
        """Write all files into a folder."""
        for path, file in self.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.data)
            target.chmod(0o755 if file.is_executable else 0o644)


def read_files(folder: Path, paths: list[str]) -> Tree:
    """Read files of a folder; those that do not exist are left out."""
    return Tree(
        {
            path: File((folder / path).read_bytes(), bool((folder / path).stat().st_mode & 0o100))
            for path in paths
            if (folder / path).is_file()
        }
    )


def pack(tree: Tree) -> bytes:
    """Return the tree as a compressed archive, which is the same for equal trees."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as archive:
        for path in sorted(tree):
            member = tarfile.TarInfo(path)
            member.size = len(tree[path].data)
            member.mode = 0o755 if tree[path].is_executable else 0o644
            archive.addfile(member, io.BytesIO(tree[path].data))
    return buffer.getvalue()


def unpack(archive: bytes) -> Tree:
    """Return the tree that `pack` has packed."""
    tree = Tree()
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        for member in members:
            content = members.extractfile(member)
            if content is not None:
                tree[member.name] = File(content.read(), bool(member.mode & 0o100))
    return tree
