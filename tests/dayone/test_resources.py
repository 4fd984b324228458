"""Adding and removing resources. `devtools/made.py` also runs the tests of what is generated."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dayone.errors import ToolError
from dayone.migrations import history
from dayone.project import Checkout
from dayone.resources.commands import add_resource, remove_resource
from dayone.resources.derive import derive
from dayone.resources.fields import parse_fields
from dayone.resources.names import check_resource, pluralize
from dayone.resources.registration import register
from dayone.resources.resource import Resource
from dayone.source import Template

ROUTER = """\
from app.api.v1 import items, users

for part in (items, users):
    router.routes.extend(part.router.routes)
"""


@pytest.mark.parametrize(
    ("singular", "plural"), [("book", "books"), ("box", "boxes"), ("diary", "diaries"), ("day", "days")]
)
def test_regular_plurals(singular: str, plural: str) -> None:
    """Irregular ones are given with --plural."""
    assert pluralize(singular) == plural


@pytest.mark.parametrize("name", ["Book", "blog-post", "class", "list", "b" * 31, "_book", "3d"])
def test_a_name_that_code_cannot_have_is_refused(name: str) -> None:
    """With the reason."""
    with pytest.raises(ToolError, match="cannot name a resource"):
        check_resource(name, None)


@pytest.mark.parametrize("name", ["query", "statement", "page"])
def test_a_name_that_the_generated_code_uses_is_refused(template: Template, name: str) -> None:
    """Otherwise two things in a file would have one name."""
    with pytest.raises(ToolError, match="for something else"):
        derive(Resource(check_resource(name, None), parse_fields(["title:str"])), template.tree, "0008")


def test_prose_has_the_name_in_words(template: Template) -> None:
    """With the article that it needs; code has it with underscores."""
    names = check_resource("blog_post", None)
    files = derive(Resource(names, parse_fields(["name:str", "body:text"])), template.tree, "0008")
    router = files.text("app/api/v1/blog_posts.py")
    assert '"""Create a blog post. A retry' in router
    assert 'prefix="/blog-posts", tags=["blog_posts"]' in router
    assert "item" not in router.lower()
    assert "owner_id_name_id" in files.text("migrations/versions/0008_blog_posts.py")
    assert "title" not in files.text("app/services/blog_post_service.py")


def test_a_resource_without_text_has_no_search(template: Template) -> None:
    """The parameter is gone from the query, the statement and the tests."""
    files = derive(Resource(check_resource("rating", None), parse_fields(["stars:int:indexed"])), template.tree, "0008")
    assert not [path for path in files if "title" in files.text(path).replace("entitled", "")]
    assert 'sort: Literal["created_at", "-created_at", "stars", "-stars"]' in files.text("app/schemas/rating.py")


def test_names_that_postgresql_would_cut_off_are_refused(template: Template) -> None:
    """Alembic would find another name in the database each time."""
    fields = parse_fields(["a_name_of_forty_characters_that_is_long:str"])
    with pytest.raises(ToolError, match="more than 63 characters"):
        derive(Resource(check_resource("a_resource_with_a_long_name", None), fields), template.tree, "0008")


@pytest.mark.parametrize("name", ["account", "setting"])
def test_a_page_of_the_administration_keeps_its_name(name: str) -> None:
    """A resource of that name would hide it."""
    with pytest.raises(ToolError, match="the administration has a page"):
        check_resource(name, None)


def test_a_router_is_included_once_and_left_out_again() -> None:
    """A router in another form is for a person to edit."""
    once = register(ROUTER, "books")
    assert once == register(once, "books") == ROUTER.replace("users", "users, books")
    twice = register(once, "authors")
    assert register(twice, "books") == twice
    assert register(once, "books", is_removed=True) == ROUTER
    with pytest.raises(ToolError, match="by hand"):
        register("router = APIRouter()", "books")


def test_the_difference_is_shown_and_nothing_is_written(project: Checkout, template: Template) -> None:
    """--dry-run."""
    environment = project.folder / ".venv"
    environment.mkdir()
    for part in Path(sys.prefix).iterdir():
        (environment / part.name).symlink_to(part)
    (environment / ".dev").touch()  # What the tests have installed is all that the API documents need.
    before = project.repository.files()
    shown = add_resource(project, template, "book", ["title:str"], plural=None, dry_run=True)
    assert "+class Book(Identified" in shown
    assert '+    "/api/v1/books": {' in shown
    assert project.repository.files() == before


def test_files_that_exist_are_never_overwritten(
    project: Checkout, template: Template, commit: Callable[[str, str], None]
) -> None:
    """Removing such a resource needs its files to be committed."""
    commit("app/models/book.py", '"""Our own books."""\n')
    with pytest.raises(ToolError, match=r"app/models/book.py exist and are not overwritten"):
        add_resource(project, template, "book", ["title:str"], plural=None, dry_run=False)
    (project.folder / "app/models/book.py").write_text('"""Changed."""\n')
    with pytest.raises(ToolError, match="Commit these files first"):
        remove_resource(project, "book", plural=None, dry_run=False)
    with pytest.raises(ToolError, match="There is no resource"):
        remove_resource(project, "author", plural=None, dry_run=False)
    assert [migration.revision for migration in history(project.repository.files())][-1] == "0007"
