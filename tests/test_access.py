"""Every operation, called by every kind of caller, on every kind of object."""

import pytest

from app.api.access import Access
from tests.factories import Accounts, problem
from tests.operations import Operation, operations
from tests.subjects import request_options, subject_of

OPEN = (Access.PUBLIC, Access.OPTIONAL_USER)
PROTECTED = [operation for operation in operations() if operation.access not in OPEN]
ADMINISTRATION = [operation for operation in operations() if operation.access is Access.ADMINISTRATOR]
ON_OBJECTS = [operation for operation in operations() if operation.path_parameters]
OWNED = [operation for operation in ON_OBJECTS if operation.access in (Access.USER, Access.VERIFIED_USER)]
PUBLIC_OBJECTS = [operation for operation in ON_OBJECTS if operation.method == "GET" and operation.access in OPEN]
PUBLIC_PATHS = {operation.template for operation in PUBLIC_OBJECTS}
every_protected_operation = pytest.mark.parametrize("operation", PROTECTED, ids=str)


def missing_path(operation: Operation) -> str:
    """Return the path of an object that does not exist."""
    return operation.path()


@every_protected_operation
async def test_a_live_session_is_required(operation: Operation, accounts: Accounts) -> None:
    """Requests without a token, with a malformed one, of a disabled account and after logout get 401."""
    disabled, left = await accounts.create(verified=True), await accounts.create(verified=True)
    await accounts.change(disabled.id, is_active=False)
    await left.client.post("/api/v1/auth/revoke", data={"token": left.token})
    for token in (None, "garbage", disabled.token, left.token):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = await left.client.request(operation.method, operation.path(), headers=headers)
        assert problem(response) == (401, "unauthenticated")


@pytest.mark.parametrize("operation", ADMINISTRATION, ids=str)
async def test_administration_is_refused_to_users(operation: Operation, accounts: Accounts) -> None:
    """For their own objects, and for objects that do not exist."""
    ada = await accounts.create(verified=True)
    own = operation.path(ada.id) if "user_id" in operation.path_parameters else operation.path()
    for path in (own, missing_path(operation)):
        response = await ada.request(operation.method, path, **request_options(operation))
        assert problem(response) == (403, "forbidden")


@pytest.mark.parametrize("operation", OWNED, ids=str)
async def test_users_can_change_only_their_own_objects(operation: Operation, accounts: Accounts) -> None:
    """A missing object is 404, and so is another user's, unless everyone may read it: then it is 403."""
    ada, bob = await accounts.create(verified=True), await accounts.create(verified=True)
    subject, options = subject_of(operation.parameter_names), request_options(operation)
    own, anothers = await subject.create(ada), await subject.create(bob)
    missing = await ada.request(operation.method, missing_path(operation), **options)
    assert problem(missing) == (404, "not_found")
    response = await ada.request(operation.method, operation.path(*anothers), **options)
    if operation.name in subject.open_to_users:
        assert response.is_success
    elif operation.template in PUBLIC_PATHS:
        assert problem(response) == (403, "forbidden")
    else:
        assert problem(response) == (404, "not_found")
    assert (await ada.request(operation.method, operation.path(*own), **options)).is_success


@pytest.mark.parametrize("operation", OWNED, ids=str)
async def test_administrators_cannot_use_other_users_objects(operation: Operation, accounts: Accounts) -> None:
    """Unless a resource says that they may read what they do not own."""
    bob, root = await accounts.create(verified=True), await accounts.create(admin=True, verified=True)
    subject = subject_of(operation.parameter_names)
    path = operation.path(*(await subject.create(bob)))
    response = await root.request(operation.method, path, **request_options(operation))
    is_allowed = subject.visible_to_administrators or operation.name in subject.open_to_users
    assert response.is_success if is_allowed else response.status_code in (403, 404)


@pytest.mark.parametrize("operation", ON_OBJECTS, ids=str)
async def test_a_malformed_parameter_is_refused(operation: Operation, accounts: Accounts) -> None:
    """The format of a path parameter is checked before any query."""
    root = await accounts.create(admin=True, verified=True)
    if all(schema.get("type") == "string" and "format" not in schema for schema in operation.path_parameters.values()):
        return  # Every string is a well-formed slug.
    values = ["not-an-id"] * len(operation.path_parameters)
    response = await root.request(operation.method, operation.path(*values), **request_options(operation))
    assert problem(response) == (422, "validation_failed")


@pytest.mark.parametrize("operation", PUBLIC_OBJECTS, ids=str)
async def test_public_objects_are_read_by_anyone(operation: Operation, accounts: Accounts) -> None:
    """With an optional login an invalid token is refused, and responses carry `Vary`."""
    ada, bob = await accounts.create(verified=True), await accounts.create(verified=True)
    path = operation.path(*(await subject_of(operation.parameter_names).create(ada)))
    anonymous = await ada.client.get(path)
    assert anonymous.is_success
    assert (await bob.request("GET", path)).is_success
    assert problem(await ada.client.get(missing_path(operation))) == (404, "not_found")
    if operation.access is Access.OPTIONAL_USER:
        assert "Authorization" in anonymous.headers["vary"]
        refused = await ada.client.get(path, headers={"Authorization": "Bearer garbage"})
        assert problem(refused) == (401, "unauthenticated")
