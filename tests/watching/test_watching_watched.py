"""Watches on virtual time: iterators, receivers, windows, what is shared and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from esipy import ops
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.engine.terms import Terms
from esipy.exceptions import InvalidCallError, SettingError
from esipy.runtime.simulated import Working
from esipy.watching.watcher import Watcher
from tests.engine.kit import Login, answer, date
from tests.watching.watch_kit import Post, alliance, order, orders_of
from tests.watching.watch_server import ALLIANCE, MAILS, Server, post_of, summary


def test_who_leaves_or_closes_an_iterator_fetches_no_more() -> None:
    """Nothing is looked at but while somebody waits for the next change; a closed one ends."""
    server = Server({ALLIANCE.path: alliance(99, 0)}, max_age=1)
    post = post_of(server)
    watcher = Watcher(post.engine, [post.watched(ALLIANCE, tell_first=True)])
    first = post.runtime.run(watcher.next())
    assert first is not None
    assert (None, (first.after,)) == (first.before, first.added)
    post.run(1000)
    assert 1 == len(server.arrivals)
    watcher.close()
    assert None is post.runtime.run(watcher.next())
    assert 1 == len(server.arrivals)


def test_the_last_receiver_that_goes_ends_the_watch_and_the_next_begins_it_anew() -> None:
    """Nothing is asked meanwhile, and nothing of the time between is told."""
    server = Server({ALLIANCE.path: alliance(99, 0)})
    post = post_of(server)
    signal = post.on_change(ALLIANCE)
    assert signal is post.on_change(ALLIANCE)
    post.run(500)
    assert [] == server.arrivals
    signal.add_receiver(post.hear)
    signal.add_receiver(post.hear)
    post.run(500)
    asked = len(server.arrivals)
    assert 4 <= asked <= 5
    signal.remove_receiver(post.hear)
    server.data[ALLIANCE.path] = alliance(99, 1)
    post.run(150)
    assert 1 == len(post.told)  # of two receivers one is left
    signal.remove_receiver(post.hear)
    signal.remove_receiver(post.hear)
    server.data[ALLIANCE.path] = alliance(99, 2)
    asked = len(server.arrivals)
    post.run(500)
    assert asked == len(server.arrivals)
    assert 0 == len(post.watching.scheduler)
    with signal.connected_to(post.hear):
        post.run(150)
        server.data[ALLIANCE.path] = alliance(99, 3)
        post.run(150)
    assert ["T1", "T3"] == [told["after"].ticker for _, told in post.told]


def test_interactive_calls_and_watches_share_what_is_fetched() -> None:
    """What a user's own call brought is seen by the watch, without another exchange."""
    server = Server({ALLIANCE.path: alliance(99, 0)}, max_age=1000)
    post = post_of(server)
    post.on_change(ALLIANCE).add_receiver(post.hear)
    post.run(500)
    server.data[ALLIANCE.path] = alliance(99, 1)
    post.runtime.run(post.engine.perform(ALLIANCE, anew=True))
    post.run(700)  # the watch wakes for the first lifetime's end, within the second one
    assert 2 == len(server.arrivals)
    assert [(0, 0, 1)] == summary(post)


def test_without_a_cache_lifetimes_are_kept_to() -> None:
    """Each look costs an answer, but none comes too early; lists in pages too."""
    pages = {"Cache_Control": "max-age=300", "X_Pages": "2", "Last_Modified": "Tue, 04 Aug 2026 12:00:00 GMT"}
    orders = orders_of(34)
    rows = [[order(1, 0)], [order(2, 0)]]
    server = Server({ALLIANCE.path: alliance(99, 0)})
    server.data[orders.path] = lambda query: answer(rows["page=2" in query], 200, **pages)
    post = post_of(server, cache=None)
    for call in (ALLIANCE, orders):
        post.on_change(call).add_receiver(post.hear)
    post.run(590)
    assert 6 >= len(server.times(ALLIANCE.path)) >= 5
    assert 4 == len(server.times(orders.path))
    assert [] == post.told


def mail(number: int) -> dict[str, Any]:
    return {"mail_id": number, "subject": f"Mail {number}"}


def mailbox(mails: list[int]) -> Callable[[str], Any]:
    """The newest 50, or those older than one."""

    def page(query: str) -> Any:
        before = int(query.partition("last_mail_id=")[2] or 10**9)
        return [mail(number) for number in sorted(mails, reverse=True) if number < before][:50]

    return page


def test_mails_are_told_once_however_many_come_and_old_ones_never() -> None:
    """More of them than a page has room for are all told; who leaves the page is not gone, who enters it is not new."""
    mails = list(range(1000, 1100))
    server = Server({MAILS.path: mailbox(mails)})
    post = post_of(server, login=Login())
    post.on_change(MAILS).add_receiver(post.hear)
    post.run(50)
    mails += range(2000, 2003)
    post.run(150)
    mails += range(3000, 3120)
    post.run(150)
    mails.remove(3110)
    post.run(150)
    mails.remove(3100)
    mails.append(4000)
    post.run(150)
    ids = [([one.mail_id for one in told["added"]], [one.mail_id for one in told["removed"]]) for _, told in post.told]
    expected = [(sorted(range(2000, 2003), reverse=True), []), (sorted(range(3000, 3120), reverse=True), [])]
    assert [*expected, ([], [3110]), ([4000], [3100])] == ids


def test_a_short_mailbox_is_seen_whole() -> None:
    """Where all mails fit on a page, the oldest that is deleted is gone."""
    mails = [1, 2, 3]
    server = Server({MAILS.path: mailbox(mails)})
    post = post_of(server, login=Login())
    post.on_change(MAILS).add_receiver(post.hear)
    for act in (lambda: mails.remove(1), lambda: mails.append(9), mails.clear):
        post.run(150)
        act()
    post.run(150)
    assert [(0, 1, 0), (1, 0, 0), (0, 3, 0)] == summary(post)


def test_what_cannot_be_watched_is_refused_at_once() -> None:
    """Before anything is sent: a wrong key, a pace that is none, an option that a signal does not have."""
    post = Post(Server({}))
    with pytest.raises(InvalidCallError, match="key=5"):
        post.on_change(ALLIANCE, key=5)
    for every in (0, -1, True, "1", float("nan")):
        with pytest.raises(SettingError, match="every="):
            post.on_change(ALLIANCE, every=every)
    with pytest.raises(TypeError, match="no keyword often"):
        post.on_change(ALLIANCE, often=True)
    with pytest.raises(SettingError, match="priority"):
        post.on_change(ALLIANCE, priority="first")
    signal = post.on_change(ALLIANCE, every=5)
    with pytest.raises(SettingError, match="other options"):
        post.on_change(ALLIANCE, every=6)
    assert 0 == len(signal.receivers)


def test_watches_give_way_to_the_calls_of_users() -> None:
    """They are batch calls that never stand in line, unless the user says otherwise; snapshots have patience."""
    post = Post(Server({}))
    settings = post.engine.settings
    assert Terms.of(settings, priority="batch", max_wait=0) == post.options().quick
    assert Terms.of(settings, priority="batch") == post.options().patient
    mine = post.options(priority="interactive", max_wait=7, policy="spread", downtime="fail")
    assert (Terms.of(settings, "spread", "interactive", 7, "fail"),) * 2 == (mine.quick, mine.patient)


def test_ten_looks_at_once_and_none_for_nothing() -> None:
    """A hundred watches of an hour's lifetime: after their first looks nothing runs until the hour is over."""
    calls = [ops.alliance.get_alliances_alliance_id(alliance_id=number) for number in range(100)]
    asked = at_once = most = 0

    def serve(request: HttpRequest) -> Working:
        nonlocal asked, at_once, most
        asked += 1
        at_once += 1
        most = max(most, at_once)
        return Working(0.5, finish)

    def finish() -> HttpResponse:
        nonlocal at_once
        at_once -= 1
        return answer(alliance(1, 0), Cache_Control="max-age=3600", ETag='"1"')

    post = Post(serve)
    for call in calls:
        post.on_change(call).add_receiver(post.hear)
    post.run(60)
    begun = post.crew.begun
    assert (101, 100, 10) == (begun, asked, most)
    post.run(3500)
    assert (begun, 100) == (post.crew.begun, asked)


def test_the_lifetime_of_a_list_in_pages_is_over_when_that_of_its_last_page_is() -> None:
    """Page 2 came a quarter of a minute after page 1: when page 1 may be asked for again, it may not be yet."""
    stated: dict[int, float] = {}
    early: list[int] = []

    def serve(request: HttpRequest) -> Working:
        page = 2 if "page=2" in request.url else 1
        if post.runtime.now() < stated.get(page, 0.0):
            early.append(page)
        return Working(15.0 if page == 2 else 0.1, lambda: finish(page))

    def finish(page: int) -> HttpResponse:
        now = post.runtime.now()
        version = int(now - 1785844800.0 > 200)
        stated[page] = now + 300
        headers = {"Cache_Control": "max-age=300", "X_Pages": "2", "ETag": f'"{page}-{version}"'}
        return answer([page + version], Last_Modified=date(1785844800.0 + version), **headers)

    post = Post(serve)
    types = ops.market.get_markets_region_id_types(region_id=10000002)
    post.on_change(types).add_receiver(post.hear)
    post.run(400)
    assert [(1, 1, 0)] == summary(post)
    assert [] == early
