"""The tests of a resource, from those of items that were renamed."""

from dayone.resources.edits import ReplaceValues, remove_functions
from dayone.resources.fields import Field
from dayone.resources.kinds import kind_of
from dayone.resources.resource import Resource, with_imports

TEST_IMPORTS = """
from datetime import UTC, date, datetime
from decimal import Decimal
from random import randrange
from uuid import UUID, uuid4
"""
UNIQUE_VALUES = {"int": "randrange(2**31)", "uuid": "str(uuid4())"}


def write_api_tests(resource: Resource, text: str) -> str:
    """Exchange the values, and remove the tests of what the resource does not have."""
    optional = next((field for field in resource.fields if field.is_optional), None)
    unwanted = {f"get_plain_{resource.names.plural}", "both_services"}
    if optional is None:
        unwanted.add("test_an_optional_value_can_be_removed")
    if _has_search_test(resource):
        text = resource.retitle(text)
    else:
        unwanted.add(f"test_{resource.names.plural}_are_found_by_their_title")
    first = resource.fields[0]
    values = {
        "BODY": _object({field.name: kind_of(field).json_values[0] for field in resource.fields}),
        "CHANGE": _object({first.name: kind_of(first).json_values[1]}),
        "OPTIONAL": f'"{optional.name}"' if optional else None,
        "SORT_COLUMNS": repr(resource.sort_columns),
    }
    text = ReplaceValues(values).apply(remove_functions(text, unwanted))
    unique = "".join(f'"{field.name}": {_unique_value(field)}, ' for field in resource.fields if field.is_unique)
    text = text.replace("{**BODY, **fields}", f"{{**BODY, {unique}**fields}}")
    text = text.replace(", with the service that ships and with one on plain SQLAlchemy.", ".")
    return with_imports(text, TEST_IMPORTS)


def write_service_tests(resource: Resource, text: str) -> str:
    """Exchange the values, and remove the test of a search that the resource does not have."""
    name, first = resource.names.class_name, resource.fields[0]
    if _has_search_test(resource):
        text = resource.retitle(text)
    else:
        text = remove_functions(text, {"test_wildcards_in_a_search_are_ordinary_characters"})
    new = ", ".join(f"{field.name}={kind_of(field).values[0]}" for field in resource.fields)
    change = f"{name}Update({first.name}={kind_of(first).values[1]})"
    text = ReplaceValues({"NEW": f"{name}Create({new})", "CHANGE": change}).apply(text)
    return with_imports(text, TEST_IMPORTS)


def _has_search_test(resource: Resource) -> bool:
    """Whether rows that differ in the headline alone can be made."""
    return resource.headline is not None and not resource.has_unique_field


def _object(values: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{name}": {value}' for name, value in values.items()) + "}"


def _unique_value(field: Field) -> str:
    """Return an expression whose value differs each time."""
    return UNIQUE_VALUES.get(field.kind, f"uuid4().hex[:{min(field.length, 32)}]")
