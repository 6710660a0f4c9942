"""The verbs about lists and mail, from inside and over HTTP, and what they change on the wire."""

from __future__ import annotations

import pytest

from esipy.sandbox import ControlClient, RunningSandbox, serve
from esipy.sandbox.characters import FIRST_CHARACTER
from tests.sandbox.wire import Got, ask

CONTRACTS = "/contracts/public/10000044"
MAIL = f"/characters/{FIRST_CHARACTER}/mail"


@pytest.fixture(params=["inside", "over HTTP"])
def verbs(server: RunningSandbox, request: pytest.FixtureRequest) -> RunningSandbox | ControlClient:
    return server if request.param == "inside" else ControlClient(server.url)


def page(server: RunningSandbox, number: int) -> Got:
    return ask(server.url, f"{CONTRACTS}?page={number}")


def test_a_list_rolls_over_in_the_middle_of_a_fetch(
    server: RunningSandbox, verbs: RunningSandbox | ControlClient
) -> None:
    """After two answers the list has one page less and three rows less in front: both versions are told, with rows or
    ids.
    """
    verbs.roll(CONTRACTS, pages=3)
    verbs.roll(CONTRACTS, after_requests=2, pages=2, changed=[1], shift=-3)
    got = [page(server, number) for number in (1, 2, 3, 1, 2)]
    assert [200, 200, 404, 200, 200] == [one.status for one in got]
    first, _, _, *second = [[row["contract_id"] for row in one.json()] if one.status == 200 else [] for one in got]
    _, before, after = verbs.versions(CONTRACTS)
    assert first == before[:50]
    assert [row for part in second for row in part] == after == before[3:75]
    assert after == [row["contract_id"] for row in verbs.versions(CONTRACTS, ids=False)[-1]]


def test_an_answer_that_is_lost_is_one_of_those_that_were_given(
    server: RunningSandbox, verbs: RunningSandbox | ControlClient
) -> None:
    """A page that ESI answered and the wire lost brings the rollover nearer; one that never reached it does not."""
    verbs.roll(CONTRACTS, after_requests=1)
    before = page(server, 99).status, len(verbs.versions(CONTRACTS))
    verbs.fail(CONTRACTS, kind="status", status=503)
    assert 503 == page(server, 1).status
    assert before == (404, len(verbs.versions(CONTRACTS)))
    verbs.fail(CONTRACTS, kind="status", status=502, after=True)
    assert 502 == page(server, 1).status
    assert before[1] + 1 == len(verbs.versions(CONTRACTS))


def test_rows_are_edited(server: RunningSandbox, verbs: RunningSandbox | ControlClient) -> None:
    """Each verb gives ids, and they are on the wire."""
    (new,) = verbs.add(CONTRACTS, place=0)
    rows = page(server, 1).json()
    assert new == rows[0]["contract_id"] == verbs.edit(CONTRACTS) == verbs.edit(CONTRACTS, new)
    assert rows[0] != page(server, 1).json()[0]
    assert new == verbs.remove(CONTRACTS, new)
    assert new != page(server, 1).json()[0]["contract_id"]
    with pytest.raises(ValueError, match=f"has no row {new}"):
        verbs.remove(CONTRACTS, new)


def test_lists_are_told_in_odd_manners(server: RunningSandbox, verbs: RunningSandbox | ControlClient) -> None:
    """No X-Pages, an odd Last-Modified, and 204 for an empty list."""
    usual = page(server, 1).headers
    verbs.set_list(CONTRACTS, x_pages=False, empty_status=204)
    verbs.odd_last_modified(CONTRACTS, 1, times=1)
    odd, after = page(server, 1).headers, page(server, 1).headers
    assert [False, False] == ["x-pages" in odd, "x-pages" in after]
    assert usual["last-modified"] == after["last-modified"] != odd["last-modified"]
    verbs.roll(CONTRACTS, pages=0)
    assert 204 == page(server, 1).status


def test_a_mail_arrives(server: RunningSandbox, verbs: RunningSandbox | ControlClient) -> None:
    """It is the newest of its recipient's mails, unread, with its text, and its sender's too."""
    headers = {"Authorization": f"Bearer {server.login(FIRST_CHARACTER)['access_token']}"}
    before = ask(server.url, MAIL, headers=headers)
    mail_id = verbs.send_mail(FIRST_CHARACTER, "Fleet at 20:00", "Bring a Rifter.", sender=FIRST_CHARACTER + 3)
    after = ask(server.url, MAIL, headers={**headers, "If-None-Match": before.headers["etag"]})
    newest = after.json()[0]
    assert [mail_id, "Fleet at 20:00", FIRST_CHARACTER + 3, False] == [
        newest[name] for name in ("mail_id", "subject", "from", "is_read")
    ]
    assert before.json()[:49] == after.json()[1:]
    assert "Bring a Rifter." == ask(server.url, f"{MAIL}/{mail_id}", headers=headers).json()["body"]
    with pytest.raises(KeyError if verbs is server else ValueError, match="1"):
        verbs.send_mail(1, "nobody")


def test_no_answer_is_fresh_for_longer_than_so_many_seconds() -> None:
    """Lifetimes are shortened, never lengthened: the market has other prices when the short one is over."""
    orders = "/markets/10000043/orders"
    with serve(max_lifetime_seconds=7) as server:
        first = ask(server.url, orders)
        assert int(first.headers["cache-control"].removeprefix("public, max-age=")) <= 7
        assert "cache-control" not in ask(server.url, "/universe/types/34").headers
        server.advance(7)
        second = ask(server.url, orders)
    moved = [old["price"] != new["price"] for old, new in zip(first.json(), second.json(), strict=True)]
    assert 50 < sum(moved) < 250
    with pytest.raises(ValueError, match="at least a second"):
        serve(max_lifetime_seconds=0)


def test_mails_arrive_by_the_sandboxs_clock() -> None:
    """One every so many seconds at who asked for his mails, each once; after a long silence the last ten."""
    with serve(mail_every_seconds=600) as server:
        headers = {"Authorization": f"Bearer {server.login(FIRST_CHARACTER)['access_token']}"}

        def new() -> list[str]:
            mails = ask(server.url, MAIL, headers=headers).json()
            return [mail["subject"] for mail in mails if mail["subject"].startswith("News") and not mail["is_read"]]

        assert [] == new()
        server.advance(1_100)
        assert ["News 1"] == new()
        server.advance(100_000)
        headers["Authorization"] = f"Bearer {server.login(FIRST_CHARACTER)['access_token']}"
        assert [f"News {number}" for number in (*range(168, 158, -1), 1)] == new()
    with pytest.raises(ValueError, match="from mail to mail"):
        serve(mail_every_seconds=0)
