"""The names of a resource, and what else must be renamed with it."""

import builtins
import keyword
import re
from dataclasses import dataclass

from dayone.errors import ToolError

LONGEST = 30
SECTIONS = {"accounts", "sessions", "jobs", "settings", "login", "logout"}
"""The pages below /admin."""
VOWELS = "aeiou"


@dataclass(frozen=True, slots=True)
class ResourceNames:
    """The forms of a name: `blog_post`, `blog_posts`, `BlogPost`, `BlogPosts`, `BLOG_POSTS`, `/blog-posts`."""

    singular: str
    plural: str

    @property
    def class_name(self) -> str:
        """The name of the model."""
        return camel(self.singular)

    @property
    def article(self) -> str:
        """The indefinite article."""
        return "an" if self.singular[0] in VOWELS else "a"

    @property
    def files(self) -> dict[str, str]:
        """The files of the slice, by the files of items that they are derived from."""
        return {path: path.replace("item", self.singular) for path in PATTERN if "items" not in path} | {
            path: path.replace("items", self.plural) for path in PATTERN if "items" in path
        }

    def rename(self, text: str) -> str:
        """Rename items in a file, in code and in prose."""
        parts = PROSE.split(text)
        return "".join(self.rename_prose(part) if PROSE.fullmatch(part) else self.rename_code(part) for part in parts)

    def rename_code(self, text: str) -> str:
        """Rename items, except for the lists that are called `items` in every page."""
        text = re.sub(
            r'(?<=page)\.items\b|(?<=[\w)\]])\["items"\]', lambda match: match[0].replace("items", "\0"), text
        )
        for old, new in (
            (r"/items\b", f"/{self.plural.replace('_', '-')}"),
            (r"(?<=_)an(?=_item(?![a-z]))", self.article),
            (r"(?<![A-Za-z])items(?![a-z])", self.plural),
            (r"(?<![A-Za-z])item(?![a-z])", self.singular),
            (r"(?<![A-Za-z])ITEMS", self.plural.upper()),
            (r"Items(?![a-z])", camel(self.plural)),
            (r"Item(?![a-z])", self.class_name),
        ):
            text = re.sub(old, new, text)
        return text.replace("\0", "items")

    def rename_prose(self, text: str) -> str:
        """Rename items in a sentence; what is in backticks is code."""
        for old, new in (
            (r"`[^`]*`", lambda match: self.rename_code(match[0])),
            (r"\b([Aa])n(?= item\b)", rf"\g<1>{self.article[1:]}"),
            (r"\bitem(?=s?\b)", "\0"),
            (r"\bItem(?=s?\b)", "\1"),
            (r"\0s\b", self.plural.replace("_", " ")),
            (r"\x01s\b", self.plural.replace("_", " ").capitalize()),
            (r"\0", self.singular.replace("_", " ")),
            (r"\x01", self.singular.replace("_", " ").capitalize()),
        ):
            text = re.sub(old, new, text)
        return text


PROSE = re.compile(r'((?<!= )"""[^"]+"""|description="[^"]+")')
"""Docstrings and descriptions."""
PATTERN = (
    "app/api/v1/items.py",
    "app/models/item.py",
    "app/pages/admin/resources/items.py",
    "app/schemas/item.py",
    "app/services/item_service.py",
    "tests/api/v1/test_items.py",
    "tests/services/test_item_service.py",
)
"""The slice of items, without its migration."""
MIGRATION = "migrations/versions/0006_items.py"


def camel(name: str) -> str:
    """Return `BlogPost` for `blog_post`."""
    return "".join(word.capitalize() for word in name.split("_"))


def pluralize(singular: str) -> str:
    """Return the plural of an English noun that is regular."""
    if re.search(r"(s|x|z|ch|sh)$", singular):
        return f"{singular}es"
    if re.search(r"[^aeiou]y$", singular):
        return f"{singular[:-1]}ies"
    return f"{singular}s"


def check_resource(singular: str, plural: str | None) -> ResourceNames:
    """Return the names of a resource; raise ToolError if they are invalid."""
    for name in (singular, plural or pluralize(singular)):
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > LONGEST:
            raise ToolError(
                f"{name!r} cannot name a resource: use at most {LONGEST} lower-case letters, digits and single"
                " underscores, and begin with a letter: blog_post"
            )
        if keyword.iskeyword(name) or hasattr(builtins, name):
            raise ToolError(f"{name!r} cannot name a resource: Python uses that word")
    if plural is None and re.search(r"[^s]s$", singular):
        raise ToolError(f"{singular!r} looks like a plural. Use the singular, or name the plural with --plural")
    if (plural or pluralize(singular)) in SECTIONS:
        raise ToolError(f"{singular!r} cannot name a resource: the administration has a page of that name")
    names = ResourceNames(singular, plural or pluralize(singular))
    if names.singular == names.plural:
        raise ToolError(f"The plural of {singular!r} must be another word: --plural")
    return names


def check_collisions(names: ResourceNames, pattern: dict[str, str]) -> None:
    """Raise ToolError for a name that the generated code uses for something else."""
    used = {
        word
        for text in pattern.values()
        for word in re.findall(r"\w+", re.sub(r'""".*?"""', "", text, flags=re.DOTALL))
    }
    own = {names.singular, names.plural, names.class_name, camel(names.plural), names.plural.upper()}
    clash = sorted(own & used)
    if clash:
        raise ToolError(f"{names.singular!r} cannot name a resource: its code uses {clash[0]!r} for something else")
