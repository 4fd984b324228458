"""The migration of a resource, from that of items that was renamed."""

import re

from dayone.resources.fields import Field
from dayone.resources.kinds import kind_of
from dayone.resources.resource import Resource, enum_check, with_imports

MIGRATION_IMPORTS = "from sqlalchemy.dialects import postgresql\n"
INDEX = '    op.create_index(op.f("ix_{table}_owner_id_{column}_id"), "{table}", ["owner_id", "{column}", "id"])\n'


def write_migration(resource: Resource, text: str, revision: str) -> str:
    """Exchange the columns, the constraints and the indexes."""
    columns = "".join(f"        {_column(field)},\n" for field in resource.fields)
    text = re.sub(r' {8}sa\.Column\("title".*\n {8}sa\.Column\("description".*\n', lambda _: columns, text)
    foreign_key = re.compile(r"^ {8}sa\.ForeignKeyConstraint\(.*\n", re.MULTILINE)
    text = foreign_key.sub(lambda match: match[0] + _constraints(resource), text)
    indexes = "".join(INDEX.format(table=resource.names.plural, column=column) for column in resource.sort_columns)
    text = re.sub(r"( {4}op\.create_index\(.*\n)+", lambda _: indexes, text)
    text = _search_index(resource, text)
    text = re.sub(r'^revision: str = ".*"$', f'revision: str = "{revision}"', text, flags=re.MULTILINE)
    return with_imports(text, MIGRATION_IMPORTS)


def _search_index(resource: Resource, text: str) -> str:
    if resource.headline is None:
        text = re.sub(r'SEARCH_INDEX = """.*?"""\n|    op\.execute\(SEARCH_INDEX\)\n', "", text, flags=re.DOTALL)
        text = text.replace(", and an index for searches in their titles", "")
        return text.replace("Drop it; the extension stays, because others may use it.", "Drop the table.")
    text = text.replace("searches in their titles", "searches")
    return re.sub(r"(?<![a-z])title(?![a-z])", resource.headline.name, text)


def _column(field: Field) -> str:
    nullable = "" if field.is_optional else ", nullable=False"
    return f'sa.Column("{field.name}", {kind_of(field).migration}{nullable})'


def _constraints(resource: Resource) -> str:
    table, lines = resource.names.plural, ""
    for field in resource.fields:
        if field.is_unique:
            name = f'op.f("uq_{table}_owner_id_{field.name}")'
            lines += f'        sa.UniqueConstraint("owner_id", "{field.name}", name={name}),\n'
        if field.kind == "enum":
            lines += f'        sa.CheckConstraint("{enum_check(field)}", name=op.f("ck_{table}_{field.name}")),\n'
    return lines
