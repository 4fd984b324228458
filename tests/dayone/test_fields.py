"""Fields as they are given on the command line."""

import pytest

from dayone.errors import ToolError
from dayone.resources.fields import Field, parse_field, parse_fields


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("title:str", Field("title", "str")),
        ("isbn:str(13):unique", Field("isbn", "str", ("13",), is_unique=True)),
        ("born:date:indexed", Field("born", "date", is_indexed=True)),
        ("key:uuid?:unique", Field("key", "uuid", is_unique=True, is_optional=True)),
        ("price:decimal(8,2)", Field("price", "decimal", ("8", "2"))),
        ("genre:enum(novel, essay)=novel", Field("genre", "enum", ("novel", "essay"), default="novel")),
        ("count:int=-3", Field("count", "int", default="-3")),
        ("is_public:bool=false", Field("is_public", "bool", default="false")),
        ("note:str=a = b", Field("note", "str", default="a = b")),
    ],
)
def test_a_field_is_read(text: str, field: Field) -> None:
    """In each of its forms."""
    assert parse_field(text) == field


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title", "is not a field"),
        ("title:", "is not a field"),
        ("Title:str", "lower-case"),
        ("a__b:str", "single underscores"),
        ("id:int", "already has a meaning"),
        ("model_name:str", "already has a meaning"),
        ("class:str", "reserves"),
        ("order:int", "reserves"),
        ("title:varchar", "The types are"),
        ("title:str(0)", "between 1"),
        ("title:str(x)", "numbers in parentheses"),
        ("title:text(5)", "takes no numbers"),
        ("price:decimal(2,2)", "fewer of them"),
        ("genre:enum", "different lower-case words"),
        ("genre:enum(a,a)", "different lower-case words"),
        ("title:str:uniq", "unique and indexed"),
        ("born:date:unique", "can be unique"),
        ("data:json:indexed", "can be indexed"),
        ("isbn:str:unique=x", "cannot have a default"),
        ("count:int=many", "is not a value of int"),
        ("count:int=2147483648", "is not a value of int"),
        ("born:date:indexed?", "null has no place"),
        ("code:str(2):unique", "8 characters or more"),
        ("query:str", "already has a meaning"),
        ("genre:enum(a,b)=c", "is not a value of enum"),
        ("born:date=2026-01-02", "date has no default"),
        ('title:str=a"b', "is not a value of str"),
    ],
)
def test_what_cannot_be_a_field_is_refused_with_the_reason(text: str, reason: str) -> None:
    """Before anything is written."""
    with pytest.raises(ToolError, match=reason):
        parse_field(text)


def test_fields_belong_together() -> None:
    """No name twice, and something that a client must send."""
    with pytest.raises(ToolError, match="twice"):
        parse_fields(["a:int", "a:str"])
    with pytest.raises(ToolError, match="required"):
        parse_fields(["a:int?", "b:int=1"])
