"""Errors of pages are pages, too."""

import pytest

from tests.factories import Account, problem
from tests.pages.conftest import OWN_PAGE, Browser


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/admin/accounts", 405),
        ("POST", "/admin/login", 422),
        ("GET", "/admin/accounts/1", 422),
        ("GET", "/admin/nothing", 404),
    ],
)
async def test_an_error_is_a_page(browser: Browser, root: Account, method: str, path: str, status: int) -> None:
    """Errors before the operation runs are pages, too: another method, or a form that cannot be parsed."""
    await browser.log_in(root)
    form = {"Content-Type": "multipart/form-data", **OWN_PAGE}  # without a boundary
    answer = await browser.client.request(method, path, content=b"--x--", headers=form)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-request-id"] in answer.text


@pytest.mark.parametrize("charset", ["utf-7", "unknown", '"x"', "utf-8x"])
async def test_a_form_in_another_encoding_is_refused(browser: Browser, charset: str) -> None:
    """Python would cache each unknown name, and decode some into what no column can hold."""
    kind = {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}", **OWN_PAGE}
    answer = await browser.client.post("/admin/login", content=b"--x--\r\n", headers=kind)
    assert problem(answer) == (400, "bad_request")
