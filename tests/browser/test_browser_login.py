"""``esipy login`` in a real browser: approve, deny, wrong state; what a user sees, and what is left behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from esipy.sandbox import RunningSandbox, serve
from esipy.sandbox.characters import FIRST_CHARACTER
from tests.browser.chromium import WAIT_SECONDS, picture, press, text_of
from tests.cli.login_kit import MAIL, WALLET, Login, environment, logging_in
from tests.ports import free_port

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


@pytest.fixture
def server() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


@pytest.fixture
def login(server: RunningSandbox, tmp_path: Path) -> Iterator[Login]:
    """A login that waits for the browser."""
    with logging_in(server, environment(server, tmp_path), "--scopes", f"{WALLET} {MAIL}") as begun:
        yield begun


def comes_to(browser: Chrome, address: str) -> None:
    """Wait until the browser stands at an address."""
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(browser, WAIT_SECONDS).until(lambda shown: shown.current_url == address)


def is_clean(browser: Chrome) -> bool:
    """Nothing was loaded or refused beside the page, and it has no script."""
    entries = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    loaded = browser.execute_script("return performance.getEntriesByType('resource').length")
    return not entries and not loaded and "<script" not in browser.page_source


def test_approve(browser: Chrome, server: RunningSandbox, login: Login) -> None:
    """The user picks a character and approves: the page names it, the address has no code, the login is done."""
    browser.get(login.url)
    picture(browser, "login-sandbox")
    person = server.sandbox.roster.get(FIRST_CHARACTER + 1)
    browser.find_element("css selector", f"input[value='{person.character_id}']").click()
    press(browser, "approve")
    comes_to(browser, f"{login.redirect_uri}/done")
    picture(browser, "login-done")
    assert f"Logged in as {person.name}" in text_of(browser)
    assert "You can close this page." in text_of(browser)
    assert "" == browser.execute_script("return document.referrer")
    assert is_clean(browser)
    # Its own style was let through by its policy.
    assert "grid" == browser.execute_script("return getComputedStyle(document.body).display")
    done = login.done()
    assert (0, "") == (done.status, done.err)
    assert f"Logged in: {person.name} ({person.character_id})" in done.out


def test_deny(browser: Chrome, login: Login) -> None:
    """The user says no: the page says that nothing was allowed, and the command ends with one line."""
    browser.get(login.url)
    press(browser, "deny")
    comes_to(browser, f"{login.redirect_uri}/denied")
    picture(browser, "login-denied")
    assert "The login was denied" in text_of(browser)
    assert is_clean(browser)
    done = login.done()
    assert (1, 1) == (done.status, len(done.err.splitlines()))
    assert "denied" in done.err


def test_wrong_state(browser: Chrome, server: RunningSandbox, login: Login) -> None:
    """A callback of another login: the page says so, its code is not used, and the right one still counts."""
    browser.get(re.sub(r"state=[^&]+", "state=someone-elses", login.url))
    press(browser, "approve")
    comes_to(browser, f"{login.redirect_uri}/refused")
    picture(browser, "login-refused")
    assert "Not the login that esipy waits for" in text_of(browser)
    assert [] == server.received("/v2/oauth/token")
    browser.get(login.url)
    press(browser, "approve")
    comes_to(browser, f"{login.redirect_uri}/done")
    assert 0 == login.done().status


def test_localhost(browser: Chrome, server: RunningSandbox, tmp_path: Path) -> None:
    """An application that has ``localhost`` registered: the browser finds the listener by that name, too."""
    callback = f"http://localhost:{free_port()}/"
    with logging_in(server, environment(server, tmp_path), "--callback", callback, "--scopes", WALLET) as begun:
        assert callback == begun.redirect_uri
        browser.get(begun.url)
        press(browser, "approve")
        comes_to(browser, f"{callback}done")
        assert 0 == begun.done().status


def test_a_page_that_is_open_cannot_end_a_login(browser: Chrome, server: RunningSandbox, login: Login) -> None:
    """What a page of someone else sends to the listener, from scripts and frames, is refused, whatever it says."""
    browser.get(f"{server.url}/v2/oauth/authorize")  # any page of another origin; this one allows no scripts of its own
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    try:
        browser.refresh()
        state = re.search(r"state=([^&]+)", login.url)
        assert state is not None
        address = f"{login.redirect_uri}?error=access_denied&state={state[1]}"
        asked = browser.execute_async_script(
            """
            const [address, done] = arguments;
            const frame = document.createElement("iframe");
            const ended = new Promise((resolve) => { frame.onload = frame.onerror = () => resolve(); });
            frame.src = address;
            document.body.append(frame);
            Promise.allSettled([fetch(address), fetch(address, {mode: "no-cors"}), ended])
                .then((all) => done(all.map((each) => each.status)));
            """,
            address,
        )
    finally:
        browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})
    assert "rejected" == asked[0]
    assert login.process.poll() is None
    browser.get(login.url)
    press(browser, "approve")
    comes_to(browser, f"{login.redirect_uri}/done")
    assert 0 == login.done().status
