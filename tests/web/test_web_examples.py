"""The examples for Flask, FastAPI and Django: logins that nobody else can steer, sessions that nobody else can use."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.urls import query_of
from tests.web.web_kit import FRAMEWORKS, SECURE_URI, SESSION_COOKIES, Person, Site, site_of


@pytest.fixture(scope="module", params=FRAMEWORKS)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Each application in turn."""
    with site_of(request.param) as site:
        yield site


def name_of(site: Site, character_id: int) -> str:
    """A character's name."""
    return site.eve.sandbox.roster.get(character_id).name


def names_on(site: Site, text: str) -> set[int]:
    """Whose names a page shows."""
    return {character.character_id for character in site.eve.sandbox.roster if character.name in text}


def with_query(address: str, **changed: str | None) -> str:
    """An address with other values in its query; None leaves one out."""
    given = query_of(address) | changed
    return f"/callback?{urlencode({name: value for name, value in given.items() if value is not None})}"


def session_of(site: Site, person: Person) -> str:
    """What a browser's session cookie says."""
    return person.cookies.get(SESSION_COOKIES[site.framework], "")


def test_a_user_logs_in_and_sees_the_wallet(site: Site) -> None:
    """The whole way, to the wallet of the character that was picked; no page may be kept by anybody."""
    me, character_id = site.person(), site.eve.sandbox.roster.ids[1]
    assert "Log in with EVE Online" in me.get("/").text
    page = me.log_in(site.eve, character_id)
    assert (200, {character_id}) == (page.status, names_on(site, page.text))
    assert re.search(r"[\d,]+\.\d\d ISK", page.text)
    assert "no-store" in page.header("Cache-Control")
    assert "/login" not in page.text


def test_nothing_of_a_login_stays_in_the_browser(site: Site) -> None:
    """Neither tokens nor code, state or verifier: the session says who the user is, and that is all."""
    me = site.person()
    callback = site.eve.approve(me.begin())
    answer = me.get(callback)
    secrets = [query_of(callback)[name] for name in ("code", "state")]
    tokens = site.eve.sandbox.tokens
    secrets += [*tokens._access, *tokens._grants]
    kept = " ".join([answer.text, answer.location, *me.cookies.values(), *map(_readable, me.cookies.values())])
    assert [] == [secret for secret in secrets if secret in kept]


def _readable(cookie: str) -> str:
    """What a signed cookie says to whoever looks."""
    part = cookie.lstrip(".").partition(".")[0]
    return urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("latin-1")


def test_the_callback_of_somebody_elses_login_is_refused(site: Site) -> None:
    """CSRF: a user who is sent to it is not logged in as the other, and the code is not even spent."""
    mallory, victim = site.person(), site.person()
    forged = site.eve.approve(mallory.begin(), site.eve.sandbox.roster.ids[9])
    before = site.exchanges()
    for begun in (False, True):
        if begun:
            victim.begin()
        answer = victim.get(forged)
        assert 400 == answer.status
        assert "begun here" in answer.text
    assert before == site.exchanges()
    assert "Log in with EVE Online" in victim.get("/").text


def test_a_forged_callback_ends_neither_a_login_under_way_nor_a_session(site: Site) -> None:
    """What an attacker can send a user to changes nothing: the user's own login goes on, and stays."""
    mallory, victim = site.person(), site.person()
    own = site.eve.approve(victim.begin(), site.eve.sandbox.roster.ids[2])
    forged = site.eve.approve(mallory.begin(), site.eve.sandbox.roster.ids[9])
    assert 400 == victim.get(forged).status
    victim.get(own)
    for address in (forged, "/callback", "/callback?error=access_denied", with_query(own, state=None)):
        assert 400 == victim.get(address).status
    assert {site.eve.sandbox.roster.ids[2]} == names_on(site, victim.get("/").text)


def test_the_session_is_new_after_the_login(site: Site) -> None:
    """Fixation: the cookie differs, and what an attacker had planted before is worth nothing afterwards."""
    mallory, victim = site.person(), site.person()
    mallory.begin()
    planted = dict(mallory.cookies)
    assert session_of(site, mallory)
    victim.cookies.update(planted)
    page = victim.log_in(site.eve, site.eve.sandbox.roster.ids[3])
    assert {site.eve.sandbox.roster.ids[3]} == names_on(site, page.text)
    assert session_of(site, victim)
    assert session_of(site, mallory) != session_of(site, victim)
    assert "Log in with EVE Online" in mallory.get("/").text
    mallory.cookies.update(planted)
    assert "Log in with EVE Online" in mallory.get("/").text


def test_two_users_side_by_side_are_never_mixed(site: Site) -> None:
    """Their logins cross each other, and each sees the own name and wallet, again and again."""
    ids = site.eve.sandbox.roster.ids
    one, two = site.person(), site.person()
    first, second = one.begin(), two.begin()
    second_back, first_back = site.eve.approve(second, ids[5]), site.eve.approve(first, ids[4])
    two.get(second_back)
    one.get(first_back)
    pages = [(one.get("/").text, two.get("/").text) for _ in range(3)]
    assert [({ids[4]}, {ids[5]})] * 3 == [(names_on(site, mine), names_on(site, theirs)) for mine, theirs in pages]
    amounts = {tuple(re.findall(r"[\d,]+\.\d\d ISK", text)[0] for text in pair) for pair in pages}
    assert 1 == len(amounts)
    assert 2 == len(set(amounts.pop()))


def test_a_callback_is_used_once(site: Site) -> None:
    """Again by the same browser, or with the cookies from before, or by another browser: refused."""
    me, other = site.person(), site.person()
    callback = site.eve.approve(me.begin())
    before = dict(me.cookies)
    me.get(callback)
    assert 400 == me.get(callback).status
    assert 400 == other.get(callback).status
    other.cookies.update(before)
    answer = other.get(callback)
    assert 400 == answer.status
    assert "begin" in answer.text
    assert "Log in with EVE Online" in other.get("/").text


def test_each_of_several_tabs_can_be_the_one(site: Site) -> None:
    """Whichever comes back first logs in; another one then is told to begin anew, since the session is."""
    me, ids = site.person(), site.eve.sandbox.roster.ids
    tabs = [site.eve.approve(me.begin(), ids[number]) for number in (6, 7)]
    me.get(tabs[0])
    assert {ids[6]} == names_on(site, me.get("/").text)
    assert 400 == me.get(tabs[1]).status
    assert {ids[6]} == names_on(site, me.get("/").text)


def test_a_denied_login_is_told(site: Site) -> None:
    """And another can be begun."""
    me = site.person()
    answer = me.get(site.eve.deny(me.begin()))
    assert 400 == answer.status
    assert "Sorry: the login was denied" in answer.text
    assert names_on(site, me.log_in(site.eve, site.eve.sandbox.roster.ids[0]).text)


def test_what_the_sso_says_is_no_html(site: Site) -> None:
    """Nor is what anybody else says who knows the state."""
    me = site.person()
    state = query_of(me.begin())["state"]
    answer = me.get(
        f"/callback?{urlencode({'state': state, 'error': '<b>', 'error_description': '<script>1</script>'})}"
    )
    assert 400 == answer.status
    assert "the SSO refused the login" in answer.text
    assert "<script" not in answer.text
    assert "<b>" not in answer.text


def test_logging_out_takes_the_button_of_the_page(site: Site) -> None:
    """A link or another site's form does not do it: GET is not, and a form without this session's token."""
    me, mallory = site.person(), site.person()
    for person, number in ((me, 0), (mallory, 8)):
        person.log_in(site.eve, site.eve.sandbox.roster.ids[number])
    assert 405 == me.get("/logout").status
    theirs = re.findall(r'name="(\w+)" value="([^"]+)"', mallory.get("/").text)
    for fields in ({}, {"csrf": ""}, {"csrf": "none"}, {"csrf": "\xe9"}, dict(theirs)):
        assert me.post("/logout", **fields).status in (400, 403)
    assert {site.eve.sandbox.roster.ids[0]} == names_on(site, me.get("/").text)
    assert me.log_out().status in (302, 303)
    assert "Log in with EVE Online" in me.get("/").text
    assert {site.eve.sandbox.roster.ids[8]} == names_on(site, mallory.get("/").text)


def test_a_login_that_is_over_is_told(site: Site) -> None:
    """Revoked at the SSO, the page says so and lets the user begin anew; no error page."""
    me, character_id = site.person(), site.eve.sandbox.roster.ids[7]
    me.log_in(site.eve, character_id)
    site.eve.revoke(character_id)
    answers = [me.get("/") for _ in range(2)]  # ESI's word first, then the SSO's
    assert {"Sorry"} == {re.findall("Sorry", answer.text)[0] for answer in answers if answer.status in (400, 503)}
    assert "log in again" in answers[1].text
    assert me.log_out().status in (302, 303)
    assert names_on(site, me.log_in(site.eve, character_id).text)


def test_the_session_cookie_goes_nowhere_else(site: Site) -> None:
    """No script reads it, no other site's form sends it."""
    me = site.person()
    me.log_in(site.eve, site.eve.sandbox.roster.ids[0])
    name = SESSION_COOKIES[site.framework]
    cookies = [cookie.lower() for cookie in me.set_cookies if cookie.startswith(f"{name}=")]
    assert cookies
    for cookie in cookies:
        assert "; httponly" in cookie
        assert "; samesite=lax" in cookie
        assert "; path=/" in cookie
        assert "domain=" not in cookie


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_over_https_the_cookie_is_the_hosts_alone(framework: str) -> None:
    """It is Secure, and bears the prefix with which no other host, nor plain HTTP, can set it."""
    with site_of(framework, SECURE_URI) as site:
        me = site.person()
        me.begin()
        assert [f"__Host-{SESSION_COOKIES[framework]}"] == list(me.cookies)
        assert all("; secure" in cookie.lower() for cookie in me.set_cookies)
        page = me.log_in(site.eve, site.eve.sandbox.roster.ids[1])
        assert {site.eve.sandbox.roster.ids[1]} == names_on(site, page.text)
