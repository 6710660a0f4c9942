"""The control interface: the same verbs from inside and from another process."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from esipy.sandbox import ControlClient, RunningSandbox
from esipy.sandbox.control import VERBS
from esipy.sandbox.faults import KINDS
from esipy.sandbox.verbs import Verbs
from tests.sandbox.control_kit import wallet
from tests.sandbox.logins import VERIFIER, WALLET, WHO, auth_uri, basic, pkce_uri, post
from tests.sandbox.wire import ask
from tests.urls import query_of


def test_both_know_where_and_who(server: RunningSandbox) -> None:
    """A handle from outside has the same address and application as the one inside."""
    outside = ControlClient(server.url)
    for name in ("url", "sso_url", "client_id", "secret_key", "redirect_uri"):
        assert getattr(server, name) == getattr(outside, name)


def test_applications_can_be_registered(handle: RunningSandbox | ControlClient, server: RunningSandbox) -> None:
    """A new one logs characters in with its own addresses, replaced it has others; a text is no list."""
    handle.register("mine", ["http://localhost:7000/back"])
    uri = pkce_uri(server, client_id="mine", redirect_uri="http://localhost:7000/back")
    got = query_of(handle.approve(uri, WHO))
    assert 200 == post(server, "token", client_id="mine", grant_type="authorization_code",
                       code=got["code"], code_verifier=VERIFIER).status  # fmt: skip
    handle.register("mine", ["http://localhost:7001/back"], "secret")
    assert {"client_id": "mine", "secret_key": "secret", "redirect_uris": ["http://localhost:7001/back"]} == (
        ControlClient(server.url).about()["clients"][-1]
    )
    with pytest.raises(ValueError, match="error page"):
        handle.approve(uri, WHO)
    for addresses in ("http://localhost", []):
        with pytest.raises(ValueError, match="list of addresses"):
            handle.register("mine", addresses)


def test_about_tells_the_state(server: RunningSandbox) -> None:
    """Clock, settings, applications and planned faults can be seen."""
    server.advance(100)
    server.fail("/status", kind="html")
    about = ControlClient(server.url).about()
    assert about["seed"] == 1
    assert about["offset_seconds"] == 100
    assert about["now"] == pytest.approx(server.sandbox.clock.now(), abs=30)
    assert about["characters"] == 10
    assert about["faults"] == ["html"]
    assert [client["client_id"] for client in about["clients"]] == ["sandbox-demo", "sandbox-demo-pkce"]


def test_characters_are_listed(server: RunningSandbox) -> None:
    """Some or all characters, with everything that is known of them."""
    found = ControlClient(server.url).characters(first=8, limit=5)
    assert [person["character_id"] for person in found] == [WHO + 8, WHO + 9]
    assert found[0]["owner"] == server.sandbox.roster.get(WHO + 8).owner


def test_advance(handle: RunningSandbox | ControlClient, server: RunningSandbox) -> None:
    """Tokens grow old as the clock moves; it never goes back."""
    token = handle.login()
    assert wallet(handle, token) == 200
    assert handle.advance(1200) == pytest.approx(server.sandbox.clock.now(), abs=30)
    assert wallet(handle, token) == 401
    with pytest.raises(ValueError, match="only goes forward"):
        handle.advance(-1)


def test_expire_tokens(handle: RunningSandbox | ControlClient) -> None:
    """ESI refuses tokens that still say they are good: of one character, or of all."""
    first, other = handle.login(WHO), handle.login(WHO + 1)
    assert handle.expire_tokens(WHO + 1) == 1
    assert wallet(handle, first) == 200
    assert handle.expire_tokens() == 1
    assert wallet(handle, first) == 401
    assert other["expires_in"] == 1199


def test_revoke(handle: RunningSandbox | ControlClient, server: RunningSandbox) -> None:
    """All logins of a character end: refreshing is ``invalid_grant``, and its access tokens are refused."""
    token = handle.login(WHO)
    handle.login(WHO + 1)
    assert handle.revoke(WHO) == 1
    assert handle.revoke(WHO) == 0
    got = post(server, "token", basic(server), grant_type="refresh_token", refresh_token=token["refresh_token"])
    assert (got.status, got.json()["error"]) == (400, "invalid_grant")
    assert wallet(handle, token) == 401


def test_rotate_keys(handle: RunningSandbox | ControlClient, server: RunningSandbox) -> None:
    """The new key's id is told, and it is served."""
    kid = handle.rotate_keys(60)
    assert kid in [key["kid"] for key in ask(server.url, "/oauth/jwks").json()["keys"]]


def test_set_tokens(handle: RunningSandbox | ControlClient, server: RunningSandbox) -> None:
    """Lifetime and rotation change for the tokens given from now on; what is not named stays."""
    handle.set_tokens(lifetime_seconds=5)
    assert handle.login()["expires_in"] == 5
    handle.set_tokens(rotate_refresh_tokens=True)
    assert handle.login()["expires_in"] == 5
    assert server.sandbox.tokens.rotate_refresh_tokens is True
    handle.set_tokens(overlap=True)
    assert (server.sandbox.tokens.rotate_refresh_tokens, server.sandbox.tokens.overlap) == (True, True)


def test_grants_and_is_good(handle: RunningSandbox | ControlClient) -> None:
    """Living logins are listed without a token; a refresh token can be asked about, and is not used by that."""
    token, _ = handle.login(WHO, ["publicData"])["refresh_token"], handle.login(WHO + 1)
    assert handle.grants(WHO) == [
        {"client_id": handle.client_id, "character_id": WHO, "scopes": ["publicData"], "refresh_tokens": 1}
    ]
    assert len(handle.grants()) == 2
    assert [handle.is_good(token), handle.is_good(token), handle.is_good("nonsense")] == [True, True, False]
    handle.revoke(WHO)
    assert (handle.grants(WHO), handle.is_good(token)) == ([], False)
    handle.sell(WHO + 1)
    assert handle.grants() == []


def test_fail_and_heal(handle: RunningSandbox | ControlClient) -> None:
    """Faults are planned and taken back."""
    handle.fail("/status", 5, kind="rate-limited", seconds=3, headers={"X-Why": "test"}, body="{}")
    got = ask(handle.url, "/status")
    assert (got.status, got.headers["retry-after"], got.headers["x-why"], got.body) == (429, "3", "test", b"{}")
    handle.heal()
    assert ask(handle.url, "/status").status == 200
    with pytest.raises(ValueError, match="no fault is called"):
        handle.fail("/status", kind="nonsense")  # type: ignore[arg-type]


def test_wait_and_release(handle: RunningSandbox | ControlClient) -> None:
    """A test waits until a request hangs, looks, and lets it go on."""
    handle.fail("/status", kind="hang")
    statuses: list[int] = []
    thread = Thread(target=lambda: statuses.append(ask(handle.url, "/status").status))
    thread.start()
    assert [entry.fault for entry in handle.wait_received(1, "/status")] == ["hang"]
    assert statuses == []
    assert handle.release() == 1
    thread.join(10)
    assert statuses == [200]


def test_waiting_in_vain_is_an_error(handle: RunningSandbox | ControlClient) -> None:
    """What does not come in time raises."""
    with pytest.raises(TimeoutError):
        handle.wait_received(1, "/wars", timeout=0.01)


def test_bump_and_roles(handle: RunningSandbox | ControlClient, server: RunningSandbox) -> None:
    """The ESI half's own verbs: data change, roles are given, limits are enforced."""
    before = ask(server.url, "/status").headers["etag"]
    handle.bump("/status")
    assert ask(server.url, "/status").headers["etag"] != before
    with pytest.raises(ValueError, match="no operation"):
        handle.bump("/nowhere")
    handle.set_roles(WHO, ["Director"])
    handle.enforce_limits()
    assert server.sandbox.esi.limits.enforce is True


def test_mint_and_sell(handle: RunningSandbox | ControlClient, server: RunningSandbox) -> None:
    """A single token, and a new owner."""
    assert wallet(handle, {"access_token": handle.mint(scopes=[WALLET])}) == 200
    assert handle.sell(WHO) == server.sandbox.roster.get(WHO).owner


def test_unknown_people_are_an_error(handle: RunningSandbox | ControlClient) -> None:
    """A character or application that is not there is refused with its name."""
    with pytest.raises((KeyError, ValueError), match="no character 7"):
        handle.login(7)
    with pytest.raises((KeyError, ValueError), match="nobody"):
        handle.login(client_id="nobody")


def test_approve_and_deny_from_outside(server: RunningSandbox) -> None:
    """The login page can be walked by another process too."""
    outside = ControlClient(server.url)
    assert "code" in query_of(outside.approve(auth_uri(server), WHO + 3))
    assert query_of(outside.deny(auth_uri(server)))["error"] == "access_denied"


def test_every_verb_is_offered_over_http(server: RunningSandbox) -> None:
    """The list of verbs is one: what the class has, the interface has, and its client overrides each."""
    told = ask(server.url, "/_sandbox/nothing").json()["error"]
    for verb in VERBS:
        assert verb in told
        assert getattr(ControlClient, verb) is not getattr(Verbs, verb)


@pytest.mark.parametrize(
    ("method", "name", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("GET", "advance", None, 405),
        ("POST", "about", "{}", 405),
        ("POST", "advance", "[1]", 400),
        ("POST", "advance", "not JSON", 400),
        ("POST", "advance", "{}", 400),
        ("POST", "advance", '{"seconds": 1, "more": 2}', 400),
        ("POST", "advance", '{"seconds": "x"}', 400),
        ("POST", "_sandbox", "{}", 404),
        ("POST", "__init__", "{}", 404),
        ("GET", "received?times=x", None, 400),
    ],
)
def test_mistakes_are_told(server: RunningSandbox, method: str, name: str, body: str | None, status: int) -> None:
    """A wrong request of the control interface gets a status and a text, and changes nothing."""
    got = ask(server.url, f"/_sandbox/{name}", method, body)
    assert got.status == status
    assert isinstance(got.json()["error"], str)
    assert server.sandbox.clock.offset_seconds == 0


def test_web_pages_may_not_drive_the_sandbox(server: RunningSandbox) -> None:
    """A request that a browser sends for a web page (it has an Origin) is refused."""
    got = ask(server.url, "/_sandbox/advance", "POST", '{"seconds": 5}', {"Origin": "http://evil.example"})
    assert got.status == 403
    assert server.sandbox.clock.offset_seconds == 0


def test_the_manual_knows_every_verb_and_kind() -> None:
    """docs/sandbox.md names each verb and each kind of fault."""
    manual = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
    assert [] == [name for name in (*sorted(VERBS), *KINDS) if f"`{name}" not in manual]
