"""The Flask example in a real browser: logged in, denied, and sent to somebody else's callback.

The pictures of docs/web-login.md are made here: ``ESIPY_SCREENSHOTS=docs/_static``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest

from esipy.sandbox.browser import approve
from esipy.sandbox.characters import FIRST_CHARACTER, Roster
from tests.browser.chromium import follow, picture, press, text_of
from tests.web.web_kit import Person, over_http, served

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

NAMES = [character.name for character in Roster()]


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the example, which serves."""
    with served("flask") as (_, address):
        yield address


@pytest.fixture(autouse=True)
def stranger(browser: Chrome, site: str) -> None:
    """The browser has never been there."""
    browser.get(site)
    browser.delete_all_cookies()
    browser.get(site)


def cookie_of(browser: Chrome) -> dict[str, Any]:
    """The session's cookie."""
    cookie = browser.get_cookie("session")
    assert cookie is not None
    return cookie


def log_in(browser: Chrome) -> None:
    """By the link of the page, and the first character of the SSO's."""
    follow(browser, browser.find_element("link text", "Log in with EVE Online"))
    press(browser, "approve")


def test_a_user_approves_and_sees_the_wallet(browser: Chrome, site: str) -> None:
    """No code stays in the address bar, the session is new, and no script could read its cookie."""
    picture(browser, "web-login-1")
    follow(browser, browser.find_element("link text", "Log in with EVE Online"))
    before = cookie_of(browser)["value"]
    assert site != browser.current_url
    press(browser, "approve")
    assert site == browser.current_url
    assert re.search(rf"{NAMES[0]} [\d,]+\.\d\d ISK Log out", text_of(browser))
    picture(browser, "web-login-2")
    cookie = cookie_of(browser)
    assert (True, "Lax", False) == (cookie["httpOnly"], cookie["sameSite"], cookie["value"] == before)
    assert "" == browser.execute_script("return document.cookie")
    follow(browser, browser.find_element("css selector", "form button"))
    assert "Log in with EVE Online" in text_of(browser)
    assert site == browser.current_url


def test_a_user_denies(browser: Chrome, site: str) -> None:
    """The page says so, and another login can be begun from it."""
    follow(browser, browser.find_element("link text", "Log in with EVE Online"))
    press(browser, "deny")
    assert "Sorry: the login was denied: nothing was allowed" in text_of(browser)
    picture(browser, "web-login-3")
    log_in(browser)
    assert (site, True) == (browser.current_url, NAMES[0] in text_of(browser))


def test_a_user_is_sent_to_somebody_elses_callback(browser: Chrome, site: str) -> None:
    """By a link on another site: nobody is logged in; whoever is logged in stays so."""
    forged = approve(Person(over_http(urlsplit(site).netloc)).begin(), FIRST_CHARACTER + 9)
    lure = f"data:text/html,<a href='{quote(forged, safe=':/')}'>win</a>"
    for logged_in in (False, True):
        if logged_in:
            browser.get(site)
            log_in(browser)
        browser.get(lure)
        follow(browser, browser.find_element("link text", "win"))
        assert "Sorry: this callback belongs to no login that was begun here" in text_of(browser)
        if not logged_in:
            picture(browser, "web-login-4")
        browser.get(site)
        assert logged_in == (NAMES[0] in text_of(browser))
        assert NAMES[9] not in text_of(browser)


def test_another_sites_form_logs_nobody_out(browser: Chrome, site: str) -> None:
    """The browser does not send the session along, and the form lacks its token."""
    log_in(browser)
    browser.get(f"data:text/html,<form method=post action='{site}logout'><button>win</button></form>")
    follow(browser, browser.find_element("tag name", "button"))
    assert "Bad Request" in text_of(browser)
    browser.get(site)
    assert NAMES[0] in text_of(browser)
