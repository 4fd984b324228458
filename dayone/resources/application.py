"""The router, the model, the schemas and the service of a resource, from those of items that were renamed."""

import re

from dayone.resources.edits import ReplaceValues, replace_fields
from dayone.resources.fields import Field
from dayone.resources.kinds import NAMED, alias_of, kind_of
from dayone.resources.resource import OWN_FIELDS, Resource, enum_check, with_imports

ROUTER_IMPORTS = """
from app.api.openapi import problems
from app.core.exceptions import ConflictError
from app.core.refusals import IdempotencyInProgressError
"""
MODEL_IMPORTS = """
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
"""
SCHEMA_IMPORTS = """
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID
from pydantic import StringConstraints, WithJsonSchema
from app.schemas.json_types import DECIMAL_TEXT, DateText, JsonObject, TimeText, UuidText, decimal_schema
from app.schemas.types import NO_NUL
"""
CONFLICTS = "CONFLICTS = problems(ConflictError, IdempotencyInProgressError)\n"


def write_router(resource: Resource, text: str) -> str:
    """Document the conflicts of unique fields."""
    if not resource.has_unique_field:
        return text
    for name, function in (("REPEATED", "create"), ("CHANGED_MEANWHILE", "update")):
        end = rf"(?=[^\n]*\)\nasync def {function}_)"
        text = re.sub(f"responses={name}{end}", f"responses={{**{name}, **CONFLICTS}}", text)
    return with_imports(text.replace("router = APIRouter(", f"{CONFLICTS}router = APIRouter("), ROUTER_IMPORTS)


def write_model(resource: Resource, text: str) -> str:
    """Exchange the columns, the indexes and the constraints."""
    attributes = [_attribute(field) for field in resource.fields]
    text = replace_fields(text, resource.names.class_name, OWN_FIELDS, attributes)
    arguments = [f'Index(None, "owner_id", "{column}", "id")' for column in resource.sort_columns]
    for field in resource.fields:
        if field.is_unique:
            arguments.append(f'UniqueConstraint("owner_id", "{field.name}")')
        if field.kind == "enum":
            arguments.append(f'CheckConstraint("{enum_check(field)}", name="{field.name}")')
    text = ReplaceValues({"__table_args__": f"({', '.join(arguments)},)"}).apply(text)
    text = text.replace(": an example resource that belongs to a user.", ": each row belongs to a user.")
    return with_imports(text, MODEL_IMPORTS)


def _attribute(field: Field) -> str:
    kind = kind_of(field)
    annotation = f"Mapped[{kind.annotation}{_or_none(field)}]"
    return f"{field.name}: {annotation}" + (f" = mapped_column({kind.column})" if kind.column else "")


def _or_none(field: Field) -> str:
    return " | None" if field.is_optional else ""


def write_schemas(resource: Resource, text: str) -> str:
    """Exchange the fields of the bodies and of the query."""
    name = resource.names.class_name
    text = re.sub(r"\b(Description|Title), |, Title$", "", _write_query(resource, text), flags=re.MULTILINE)
    for schema, write in (("Create", _created), ("Update", _updated), ("Read", _read)):
        attributes = [write(field, alias_of(field, name)) for field in resource.fields]
        text = replace_fields(text, f"{name}{schema}", OWN_FIELDS, attributes)
    bounded = [field for field in resource.fields if field.kind not in NAMED]
    aliases = [f"{alias_of(field, name)} = {kind_of(field).accepted}" for field in bounded]
    text = text.replace(f"class {name}Create", "\n".join([*aliases, "", "", f"class {name}Create"]), 1)
    return with_imports(text, SCHEMA_IMPORTS)


def _write_query(resource: Resource, text: str) -> str:
    choices = [f'"{sign}{column}"' for column in resource.sort_columns for sign in ("", "-")]
    text = re.sub(r"sort: Literal\[.*?\]", f"sort: Literal[{', '.join(choices)}]", text)
    headline = resource.headline
    if headline is None:
        return replace_fields(text, f"{resource.names.class_name}Query", {"title"}, [])
    alias = alias_of(headline, resource.names.class_name)
    text = text.replace("title: Title | None =", f"{headline.name}: {alias} | None =")
    return text.replace("whose title contains", f"whose {headline.name.replace('_', ' ')} contains")


def _created(field: Field, alias: str) -> str:
    default = kind_of(field).default or ("None" if field.is_optional else None)
    return f"{field.name}: {alias}{_or_none(field)}" + (f" = {default}" if default is not None else "")


def _updated(field: Field, alias: str) -> str:
    return f"{field.name}: {alias} | MISSING{_or_none(field)} = MISSING"


def _read(field: Field, alias: str) -> str:
    kind = kind_of(field)
    if kind.bound:
        return f"{field.name}: {kind.annotation}{_or_none(field)} = Field({kind.bound})"
    return f"{field.name}: {kind.annotation if field.kind in NAMED else alias}{_or_none(field)}"


def write_listing(resource: Resource, text: str) -> str:
    """Show the headline, or the first field, in the administration."""
    shown = resource.headline or resource.fields[0]
    return text.replace('"title"', f'"{shown.name}"')


def write_service(resource: Resource, text: str) -> str:
    """Exchange the search and the order of the list."""
    columns = [f"{resource.names.class_name}.{column}" for column in resource.sort_columns]
    return re.sub(r"SortOrder\(.*?, key=", f"SortOrder({', '.join(columns)}, key=", resource.retitle(text))
