"""Items, without HTTP."""

import pytest

from app.core.exceptions import NotFoundError, PreconditionFailedError
from app.db.session import Session
from app.schemas.item import ItemCreate, ItemQuery, ItemUpdate
from app.services.item_service import ItemService
from tests.services.conftest import Users

NEW = ItemCreate(title="milk", description="2 l")
CHANGE = ItemUpdate(title="oat milk")


async def test_an_item_can_be_created_read_changed_and_deleted(db: Session, users: Users) -> None:
    """Each change increments the version."""
    items = ItemService(db, (await users.create()).id)
    item = await items.create(NEW)
    assert await items.get(item.id) is not None
    changed = await items.update(item.id, CHANGE)
    assert (item.version, changed.version) == (1, 2)
    await items.delete(item.id)
    with pytest.raises(NotFoundError):
        await items.get(item.id)


async def test_an_item_of_another_owner_does_not_exist(db: Session, users: Users) -> None:
    """Reading, changing and deleting it raise NotFoundError."""
    ada, bob = await users.create(), await users.create("bob@example.com")
    item = await ItemService(db, ada.id).create(NEW)
    others = ItemService(db, bob.id)
    for attempt in (others.get(item.id), others.update(item.id, CHANGE), others.delete(item.id)):
        with pytest.raises(NotFoundError):
            await attempt


async def test_only_the_expected_version_is_changed(db: Session, users: Users) -> None:
    """Of two editors of one version one fails."""
    items = ItemService(db, (await users.create()).id)
    item = await items.create(NEW)
    await items.update(item.id, CHANGE, frozenset({1}))
    with pytest.raises(PreconditionFailedError):
        await items.update(item.id, CHANGE, frozenset({1}))
    with pytest.raises(PreconditionFailedError):
        await items.delete(item.id, frozenset({1, 7}))
    await items.delete(item.id, frozenset({2, 7}))


async def test_wildcards_in_a_search_are_ordinary_characters(db: Session, users: Users) -> None:
    """Those of LIKE, and its escape character."""
    items = ItemService(db, (await users.create()).id)
    for title in ("100%", "1000", "a_b", "axb", "a/b"):
        await items.create(NEW.model_copy(update={"title": title}))
    for search, expected in (("0%", ["100%"]), ("A_B", ["a_b"]), ("/", ["a/b"]), ("00", ["1000", "100%"])):
        page = await items.list(ItemQuery(title=search, sort="-created_at"))
        assert {item.title for item in page.items} == set(expected)
