"""A resource that is to be written, and helpers for its files."""

import re
from dataclasses import dataclass

from dayone.errors import ToolError
from dayone.resources.edits import RemoveTitle
from dayone.resources.fields import Field
from dayone.resources.names import ResourceNames

LONGEST_IDENTIFIER = 63
"""PostgreSQL cuts longer names off."""
LONGEST_LINE = 120
OWN_FIELDS = {"title", "description"}
"""The fields of items."""


@dataclass(frozen=True, slots=True)
class Resource:
    """The names and the fields of a resource."""

    names: ResourceNames
    fields: list[Field]

    @property
    def headline(self) -> Field | None:
        """The field that takes the place of the title: lists can be searched and sorted by it."""
        texts = [field for field in self.fields if field.kind == "str"]
        return next((field for field in texts if not field.is_optional and not field.is_unique), None)

    @property
    def has_unique_field(self) -> bool:
        """Whether two rows of one owner can be in conflict."""
        return any(field.is_unique for field in self.fields)

    @property
    def sort_columns(self) -> list[str]:
        """The columns that lists can be sorted by."""
        indexed = [field.name for field in self.fields if field.is_sort_column and field != self.headline]
        return ["created_at", *([self.headline.name] if self.headline else []), *indexed]

    def check_identifiers(self) -> None:
        """Raise ToolError for a name of an index or a constraint that PostgreSQL would cut off."""
        columns = [*self.sort_columns, *(field.name for field in self.fields)]
        longest = f"ix_{self.names.plural}_owner_id_{max(columns, key=len)}_id"
        if len(longest) > LONGEST_IDENTIFIER:
            raise ToolError(f"{longest} has more than {LONGEST_IDENTIFIER} characters: choose shorter names")

    def retitle(self, text: str) -> str:
        """Give the title the name of the headline, or remove it."""
        if self.headline is None:
            return RemoveTitle("title").apply(text.replace("; `title` is escaped for LIKE", ""))
        return re.sub(r"(?<![a-z])title(?![a-z])", self.headline.name, text)


def enum_check(field: Field) -> str:
    """Return the condition that a column has one of the values."""
    return f"{field.name} IN ({', '.join(repr(value) for value in field.arguments)})"


def with_imports(text: str, imports: str) -> str:
    """Add imports below the docstring of a module; formatting removes those that are not needed."""
    docstring = re.compile(r'\A""".*?"""\n', re.DOTALL)
    return docstring.sub(lambda match: f"{match[0]}\n{imports.strip()}\n", text, count=1)


def wrap_docstrings(text: str) -> str:
    """Put all sentences but the first of a docstring that is too long into a separate paragraph."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        match = re.fullmatch(r'( *)"""(.*?\.) (.*)"""', line)
        if match and len(line) > LONGEST_LINE:
            indent, summary, rest = match.groups()
            lines[number] = f'{indent}"""{summary}\n\n{indent}{rest}\n{indent}"""'
    return "\n".join(lines) + "\n"
