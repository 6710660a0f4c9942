"""Watches on virtual time: restarts, dead logins, an ESI that is down, limits, windows, cursors, bad receivers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from esipy import ops
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.engine.terms import Terms
from esipy.events import RATE_LIMIT_WAIT, WATCH_FAILED
from esipy.exceptions import ForbiddenError, InvalidCallError, SettingError, TokenRevokedError
from esipy.lists.positions import MemoryPositions
from esipy.runtime.simulated import SimulatedRuntime
from esipy.testing import SignalRecorder
from esipy.watching.watcher import Watcher
from tests.engine.kit import WALLET, Login, answer
from tests.watching.watch_kit import Post, alliance, day, order, orders_of, project, projects_of

ALLIANCE = ops.alliance.get_alliances_alliance_id(alliance_id=99)
HISTORY = ops.market.get_markets_region_id_history(region_id=10000002, type_id=34)
MAILS = ops.mail.get_characters_character_id_mail(character_id=91)


class Server:
    """Answers every path from a table that the test changes; what is no answer is its data, with an ``ETag``.

    Attributes:
        data: by path; a number is a status, a function is asked.
        max_age: of all answers; None: they have none.
        arrivals: (when, path) of each request.
    """

    def __init__(self, data: dict[str, Any], max_age: int | None = 100) -> None:
        self.data = data
        self.max_age = max_age
        self.arrivals: list[tuple[float, str]] = []
        self.now: Callable[[], float] = lambda: 0.0

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path, _, query = f"/{request.url.partition('//')[2].partition('/')[2]}".partition("?")
        self.arrivals.append((self.now(), path))
        found = self.data[path]
        if callable(found):
            found = found(query)
        if isinstance(found, HttpResponse):
            return found
        if isinstance(found, int):
            return answer({"error": "no"}, found)
        tag = f'"{hash(repr(found))}"'
        kept = dict(request.headers).get("If-None-Match") == tag
        headers = {"ETag": tag} | ({} if self.max_age is None else {"Cache-Control": f"max-age={self.max_age}"})
        return answer(b"" if kept else found, 304 if kept else 200, **headers)

    def times(self, path: str) -> list[float]:
        return [moment for moment, asked in self.arrivals if asked == path]


def post_of(server: Server, **options: Any) -> Post:
    """A client over a server, at the server's clock."""
    post = Post(server, **options)
    server.now = post.runtime.now
    return post


def summary(post: Post) -> list[tuple[int, int, int]]:
    """How many rows each signal told as new, gone, modified."""
    return [(len(told["added"]), len(told["removed"]), len(told["modified"])) for _, told in post.told]


def test_what_changed_while_the_program_was_away_is_told_once_when_it_is_back() -> None:
    """With a store: by the first look, against what was seen last; and nothing else is told twice."""
    server = Server({ALLIANCE.path: alliance(99, 0), HISTORY.path: [day(1, 0), day(2, 0)]})
    store = MemoryPositions()

    def session() -> Post:
        post = post_of(server, runtime=SimulatedRuntime(server, start=1785844800.0 + 10_000 * len(server.arrivals)))
        for call in (ALLIANCE, HISTORY):
            post.on_change(call, store=store).add_receiver(post.hear)
        post.run(500)
        return post

    assert [] == session().told
    assert [] == session().told
    server.data[ALLIANCE.path] = alliance(99, 1)
    server.data[HISTORY.path] = [day(2, 5), day(3, 0)]
    post = session()
    assert [(0, 0, 1), (1, 1, 1)] == sorted(summary(post))
    ticker = next(told["modified"][0] for _, told in post.told if told["call"] == ALLIANCE)
    assert ("T0", "T1") == (ticker.before.ticker, ticker.after.ticker)
    assert [] == session().told


def test_a_program_that_was_killed_before_it_saved_tells_that_change_again() -> None:
    """With what has happened since: better twice than never."""
    server = Server({HISTORY.path: [day(1, 0)]})

    class Failing(MemoryPositions):
        broken = False

        def save(self, name: str, position: str) -> None:
            if not self.broken:
                super().save(name, position)

    store = Failing()
    post = post_of(server)
    post.on_change(HISTORY, store=store).add_receiver(post.hear)
    post.run(50)
    store.broken = True
    server.data[HISTORY.path] = [day(1, 1)]
    post.run(200)
    server.data[HISTORY.path] = [day(1, 1), day(2, 0)]
    store.broken = False
    again = post_of(server)
    again.on_change(HISTORY, store=store).add_receiver(again.hear)
    again.run(200)
    assert [(0, 0, 1)] == summary(post)
    assert [(1, 0, 1)] == summary(again)


def test_a_restart_within_a_lifetime_does_not_ask(caplog: pytest.LogCaptureFixture) -> None:
    """What was saved says until when it is fresh. What cannot be read is begun anew, with a warning."""
    server = Server({HISTORY.path: [day(1, 0)]}, max_age=3000)
    store = MemoryPositions()
    post = post_of(server)
    post.on_change(HISTORY, store=store).add_receiver(post.hear)
    post.run(10)
    again = post_of(server)
    again.on_change(HISTORY, store=store).add_receiver(again.hear)
    again.run(2900)
    assert 1 == len(server.arrivals)
    again.run(200)
    assert 2 == len(server.arrivals)

    name = post.watched(HISTORY).name
    assert "token" not in name
    for broken in ("", "[]", '[99,null,null,"x"]', '[1,null,null,"x"]'):
        store.save(name, broken)
        third = post_of(server)
        third.on_change(HISTORY, store=store, tell_first=True).add_receiver(third.hear)
        third.run(10)
        assert [(1, 0, 0)] == summary(third)
    assert 4 == [record.levelno for record in caplog.records if record.name == "esipy.watching"].count(logging.WARNING)


def test_what_is_kept_between_runs_is_the_characters_own() -> None:
    """Two characters, two names: nobody is told another's news."""
    mine, theirs = (Post(Server({}), login=Login(character)).watched(WALLET).name for character in (91, 92))
    assert mine != theirs
    assert mine == Post(Server({}), login=Login(91, "another-token")).watched(WALLET).name


class DeadLogin(Login):
    """One whose token cannot be refreshed, while it is dead."""

    dead = True
    tried = 0

    async def token(self, runtime: Any, *, not_this: str | None = None) -> str:
        if self.dead:
            self.tried += 1
            raise TokenRevokedError("https://login.example", 400, message="invalid_grant")
        return await super().token(runtime, not_this=not_this)


def test_a_dead_login_holds_back_all_its_calls_and_no_others() -> None:
    """One of them tries now and then; it is told; when the character is back, all go on."""
    paths = ["/characters/91/wallet", "/characters/91/online", "/characters/91/ship"]
    server = Server({ALLIANCE.path: alliance(99, 0), paths[0]: 1.0})
    server.data[paths[1]] = {"online": True}
    server.data[paths[2]] = {"ship_item_id": 1, "ship_name": "Ibis", "ship_type_id": 2}
    login = DeadLogin()
    post = post_of(server, login=login)
    mine = [
        WALLET,
        ops.location.get_characters_character_id_online(character_id=91),
        ops.location.get_characters_character_id_ship(character_id=91),
    ]
    with SignalRecorder(WATCH_FAILED) as failed:
        for call in (*mine, ALLIANCE):
            post.on_change(call).add_receiver(post.hear)
        post.run(3600)
    assert set() == {path for _, path in server.arrivals} - {ALLIANCE.path}
    assert len(server.times(ALLIANCE.path)) > 30
    assert 3 <= login.tried < 15
    assert {True} == set(failed.values("lasting"))
    assert all("token" not in f"{payload}" for payload in failed.payloads)

    login.dead = False
    post.run(1000)
    assert [] == post.told
    assert set(paths) <= {path for _, path in server.arrivals}
    server.data[paths[0]] = 2.5
    post.run(200)
    assert [(1.0, 2.5)] == [(told["before"], told["after"]) for _, told in post.told]


def test_an_iterator_raises_what_does_not_pass_and_goes_on_when_asked_again() -> None:
    """A refusal is the loop's to handle; the other calls, and this one later, are watched on."""
    server = Server({ALLIANCE.path: alliance(99, 0), HISTORY.path: 403})
    post = post_of(server)
    watcher = Watcher(post.engine, [post.watched(HISTORY), post.watched(ALLIANCE)])

    async def story() -> tuple[Any, Any]:
        with pytest.raises(ForbiddenError):
            await watcher.next()
        server.data |= {ALLIANCE.path: alliance(99, 7), HISTORY.path: [day(1, 0)]}
        first = await watcher.next()
        asked = post.runtime.spawn(watcher.next())
        await post.runtime.sleep(200)
        server.data[HISTORY.path] = [day(1, 3)]
        return first, await post.runtime.join(asked)

    first, second = post.runtime.run(story())
    assert (ALLIANCE, HISTORY) == (first.call, second.call)
    assert 1 == len(second.modified)
    assert server.times(HISTORY.path)[1] - server.times(HISTORY.path)[0] > 20  # put off


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


def test_T52_a_receiver_that_raises_costs_the_others_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged; later receivers are told, the change is told once, and the watch goes on."""
    server = Server({ALLIANCE.path: alliance(99, 0)})
    post = post_of(server)

    def raises(**_: Any) -> None:
        raise RuntimeError("a receiver's own mistake")

    for receiver in (raises, post.hear):
        post.on_change(ALLIANCE).add_receiver(receiver)
    post.run(50)
    for form in (1, 2):
        server.data[ALLIANCE.path] = alliance(99, form)
        post.run(200)
    assert ["T1", "T2"] == [told["after"].ticker for _, told in post.told]
    assert 2 == caplog.text.count("a receiver's own mistake\n")


def test_an_esi_that_is_down_is_asked_less_and_less_and_its_return_is_told() -> None:
    """What is kept stands in and is no news; the change that came meanwhile is told once."""
    server = Server({ALLIANCE.path: alliance(99, 0)}, max_age=60)
    post = post_of(server)
    post.on_change(ALLIANCE).add_receiver(post.hear)
    post.run(30)
    server.data[ALLIANCE.path] = 503
    post.run(4000)
    times = server.times(ALLIANCE.path)
    pauses = [after - before for before, after in pairwise(times[1:])]
    assert pauses == sorted(pauses[:5]) + pauses[5:]
    assert max(pauses) > 600
    assert 6 <= len(times) <= 12
    server.data[ALLIANCE.path] = alliance(99, 1)
    post.run(1000)
    assert [(0, 0, 1)] == summary(post)


def test_a_full_bucket_puts_looks_off_and_holds_up_nobody() -> None:
    """Seven good calls in a window is all that notifications have: no wait in line, no 429, and no failure told."""
    calls = [ops.character.get_characters_character_id_notifications(character_id=91)]
    calls += [call.in_language(language) for call in calls for language in ("de", "fr", "ja", "ru", "zh", "ko", "es")]
    server = Server({calls[0].path: []}, max_age=120)
    post = post_of(server, login=Login())
    with SignalRecorder(RATE_LIMIT_WAIT) as waits:
        for call in calls:
            post.on_change(call).add_receiver(post.hear)
        post.run(3 * 900)
    assert [] == [one["wait_seconds"] for one in waits.payloads if one["wait_seconds"] > 1]
    for start in range(0, 1800, 60):
        moments = [moment - 1785844800.0 for moment in server.times(calls[0].path)]
        assert sum(start <= moment < start + 900 for moment in moments) <= 14


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


def test_a_position_that_esi_does_not_take_any_more_is_begun_anew() -> None:
    """The list is read whole, and compared with what was seen: then it is told, too, what is gone."""
    projects = projects_of(5)
    records = [project("a", 0), project("b", 0)]
    refuses = [False]

    def page(query: str) -> Any:
        if "after=" in query:
            return 400 if refuses[0] and "after=7" in query else {"projects": []}
        after = "8" if refuses[0] else "7"
        return {"projects": [] if "before=" in query else records, "cursor": {"before": "1", "after": after}}

    server = Server({projects.path: page}, max_age=None)
    store = MemoryPositions()
    post = post_of(server, login=Login())
    post.on_change(projects, store=store).add_receiver(post.hear)
    post.run(130)
    records[:] = [project("b", 4), project("c", 0)]
    refuses[0] = True
    post.run(100)
    assert [(1, 1, 1)] == summary(post)


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


def test_a_key_that_raises_stops_neither_its_watch_nor_others() -> None:
    """It is told as a failure, and the call is looked at again."""
    server = Server({HISTORY.path: [day(1, 0)], ALLIANCE.path: alliance(99, 0)})
    post = post_of(server)

    def key(row: Any) -> Any:
        raise ZeroDivisionError("a key's own mistake")

    with SignalRecorder(WATCH_FAILED) as failed:
        post.on_change(HISTORY, key=key).add_receiver(post.hear)
        post.on_change(ALLIANCE).add_receiver(post.hear)
        post.run(350)
        server.data[HISTORY.path] = [day(1, 2)]
        server.data[ALLIANCE.path] = alliance(99, 1)
        post.run(150)
    assert "a key's own mistake" in failed.values("message")
    assert len(server.times(HISTORY.path)) >= 4
    assert (0, 0, 1) in summary(post)


def test_ten_looks_at_once_and_none_for_nothing() -> None:
    """A hundred watches of an hour's lifetime: after their first looks nothing runs until the hour is over."""
    calls = [ops.alliance.get_alliances_alliance_id(alliance_id=number) for number in range(100)]
    most = [0, 0]

    def serve(request: HttpRequest) -> HttpResponse:
        most[0] += 1
        most[1] = max(most)
        return answer(alliance(1, 0), Cache_Control="max-age=3600", ETag='"1"')

    post = Post(serve)
    for call in calls:
        post.on_change(call).add_receiver(post.hear)
    post.run(60)
    begun = post.crew.begun
    assert 101 == begun
    post.run(3500)
    assert begun == post.crew.begun
    assert 100 == most[0]


def test_failures_are_errors_of_esi_and_of_nobody_else() -> None:
    """Each error that a look raises is told with its status, how often, and when it will be looked again."""
    server = Server({ALLIANCE.path: 404})
    post = post_of(server)
    with SignalRecorder(WATCH_FAILED) as failed:
        post.on_change(ALLIANCE).add_receiver(post.hear)
        post.run(50)
    assert [(404, 1, True), (404, 2, True)] == [
        (one["status_code"], one["failures"], one["lasting"]) for one in failed.payloads
    ]
    assert server.arrivals[1][0] == pytest.approx(failed.payloads[0]["retry_at"], abs=0.1)
    assert "GetAlliancesAllianceId" == failed.payloads[0]["operation_id"]
