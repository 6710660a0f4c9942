"""Judges what happened in one bucket: was it polite, was the bucket used, did anyone wait too long?

It shares no code with EsiPy: plain lists, sums and the numbers of ESI's documentation. What it is given:

- the *spends* that the server booked, with their moments: each counts for one window;
- the *flights*: each exchange, in the order in which the client was asked for it, with the moments at which it was
  asked for, sent, and at which its outcome was known, and with what the server's log says of it.

**Excuses** (`unexcused`). A 429 with headers is excused by a spend of somebody else that happened after the last
answer of this bucket that had come when the call was sent (so no header can have told of it), and not after the call
arrived. Each such spend excuses one 429. A 429 without headers comes from a limiter inside the game server; those are
counted elsewhere.

**Use** (`use`). Over the time in which at least one call waited: the time average of what everyone had spent within
the window, by the server's log, relative to the whole calls of 2 tokens that the limit allows.

**Lateness** (`lateness`): the longest time for which a call could have left all the while, and had not. (A place that
was free, and that somebody else took before the call came to it, is gone: that ends such a time.) From its last such
time on it counts as gone in the ideal schedule, which is first come first served, and knows everything that a client
can know, at once and exactly. A call could leave at a moment

- that is not before it was asked for, nor before an earlier call left in the ideal schedule;
- that is not within the time that a 429 asked to wait, from when that answer came;
- at which the sum of these leaves room for what it is expected to cost, below the limit less its headroom:
  what every earlier call has cost, from its end (which is its moment in the ideal schedule and the time that it really
  took) until one window after the server counted it; a lost answer costs 5, until the header of a call that left after
  the loss was known tells what is used, or for one window;
  what every earlier call is expected to cost that is under way;
  what others have spent, as far as the headers that have come tell: see below;
- at which it would not be refused even if all calls under way turned out to cost the most. Without this no schedule
  could rule out a 429.

Others' spends. A header tells how much they have spent in the window before it. Of that, those tokens were certainly
there at the header before whose first header is so young that they cannot have come back since. All other tokens of it
may have been spent anywhere between the two headers, so at the worst just before the later one. All are counted from
the moment at which the header came until one window after the latest moment at which they can have been spent. No
header tells lost calls' costs from others' spends, so they are treated alike.

A call is expected to cost 2, and 5 if the last answer of its operation that had come in this bucket when it was asked
for was a 4xx within the last window. The headroom is a share of the limit in whole calls.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from itertools import accumulate
from math import inf
from typing import NamedTuple

__all__ = ["Flight", "Spend", "lateness", "unexcused", "use"]

GOOD, WORST = 2, 5


class Spend(NamedTuple):
    """What the server booked.

    Attributes:
        moment: when.
        tokens: how many.
        own: False: somebody else's.
    """

    moment: float
    tokens: int
    own: bool


class Flight(NamedTuple):
    """One exchange.

    Attributes:
        asked: when the client was asked for it.
        sent, arrived, known: when it left, when the server counted it, when its outcome was known.
        operation: its name.
        status: of the answer; 0: none came.
        cost: what the server booked.
        used: what its headers told; None: nothing.
        rest_seconds: how long its answer asked to wait.
    """

    asked: float
    sent: float
    arrived: float
    known: float
    operation: str
    status: int
    cost: int
    used: int | None
    rest_seconds: float


def lateness(
    flights: Sequence[Flight], spends: Sequence[Spend], limit: int, window: float, headroom: float
) -> list[float]:
    """By how many seconds each call was later than in the ideal schedule; negative: it was earlier."""
    room = limit - int(limit * headroom / GOOD) * GOOD
    rests = [(one.known, one.known + one.rest_seconds) for one in flights if one.rest_seconds]
    expected = _expected(flights, window)
    # (moment, tokens more or fewer that are counted, the same for what may come on top of them)
    changes = [(moment, tokens, 0) for moment, tokens in _told(flights, spends, window)]
    changes.sort()
    counted = on_top = 0
    headers = sorted((one.sent, one.known) for one in flights if one.used is not None)
    late: list[float] = []
    moment = 0.0
    for flight, reserved in zip(flights, expected, strict=True):
        moment = max(moment, flight.asked)
        place = 0
        while place < len(changes) and changes[place][0] <= moment:
            counted += changes[place][1]
            on_top += changes[place][2]
            place += 1
        del changes[:place]
        # Look ahead to the moment at which it left: when could it have?
        since: float | None = None
        longest = 0.0
        now, sum_counted, sum_on_top, place = moment, counted, on_top, 0
        while True:
            resting = max((end for begin, end in rests if begin <= now < end), default=now)
            free = resting == now and sum_counted + reserved <= room and sum_counted + sum_on_top + GOOD <= limit
            if free and since is None:
                since = now
            elif not free and since is not None:
                longest, since = max(longest, now - since), None
            upcoming = changes[place][0] if place < len(changes) else inf
            if now < resting < upcoming:
                now = resting
                continue
            if since is not None and upcoming > flight.sent:
                break
            now, tokens, more = changes[place]
            sum_counted += tokens
            sum_on_top += more
            place += 1
        late.append(max(longest, flight.sent - since))
        moment = since
        while changes and changes[0][0] <= moment:
            _, tokens, more = changes.pop(0)
            counted += tokens
            on_top += more
        cost = flight.cost if flight.status else WORST
        counted += reserved
        on_top += WORST - reserved
        known = moment + flight.known - flight.sent
        ends = flight.arrived + window if flight.status else _resolved(flight, headers, window)
        if ends < known:  # headers have told of it before it is given up here
            insort(changes, (ends, -reserved, reserved - WORST))
        else:
            insort(changes, (known, cost - reserved, reserved - WORST))
            insort(changes, (ends, -cost, 0))
    return late


def _resolved(lost: Flight, headers: Sequence[tuple[float, float]], window: float) -> float:
    """When a header tells what has come of a lost call, if not before the end of a window."""
    place = bisect_left(headers, (lost.known, 0.0))
    told = min((known for _, known in headers[place : place + 100]), default=inf)
    return min(told, lost.known + window)


def _expected(flights: Sequence[Flight], window: float) -> list[int]:
    """What each call is expected to cost when it is asked for."""
    answers = sorted((one.known, one.operation, one.status) for one in flights if one.status not in (0, 429))
    last: dict[str, tuple[float, int]] = {}
    found: list[int] = []
    place = 0
    for flight in flights:
        while place < len(answers) and answers[place][0] <= flight.asked:
            known, operation, status = answers[place]
            last[operation] = (known, status)
            place += 1
        known, status = last.get(flight.operation, (0.0, 200))
        found.append(WORST if status // 100 == 4 and flight.asked - known < window else GOOD)
    return found


def _told(flights: Sequence[Flight], spends: Sequence[Spend], window: float) -> list[tuple[float, int]]:
    """(moment, tokens): how what is to be believed of others' spends changes."""
    theirs = [spend for spend in spends if not spend.own]
    theirs += [Spend(flight.arrived, flight.cost, False) for flight in flights if not flight.status]
    if not theirs:
        return []
    theirs.sort()
    moments = [spend.moment for spend in theirs]
    sums = [0, *accumulate(spend.tokens for spend in theirs)]
    changes: list[tuple[float, int]] = []
    parts: list[tuple[float, float, int]] = []  # spent after, not after, how much
    believed, newest = 0, -inf
    for flight in sorted((one for one in flights if one.used is not None), key=lambda one: one.known):
        while parts and parts[0][1] + window <= flight.known:
            _, until, tokens = parts.pop(0)
            changes.append((until + window, -tokens))
            believed -= tokens
        if flight.arrived <= newest:
            continue  # one that knows more has come before it
        told = sums[bisect_right(moments, flight.arrived)] - sums[bisect_right(moments, flight.arrived - window)]
        parts = [part for part in parts if part[0] + window > flight.arrived]  # they are there; of others who knows
        unknown = told - sum(tokens for _, _, tokens in parts)
        if unknown:
            parts.append((max(newest, flight.arrived - window), flight.arrived, unknown))
        newest = flight.arrived
        if told != believed:
            changes.append((flight.known, told - believed))
            believed = told
    return changes + [(until + window, -tokens) for _, until, tokens in parts]


def unexcused(flights: Sequence[Flight], spends: Sequence[Spend], window: float) -> tuple[list[Flight], int]:
    """The 429s with headers that nothing excuses, and how many are excused."""
    refused = sorted((one for one in flights if one.status == 429 and one.used is not None), key=lambda it: it.arrived)
    if not refused:
        return [], 0
    answers = [one for one in flights if one.used is not None]
    theirs = [spend.moment for spend in spends if not spend.own]
    guilty: list[Flight] = []
    for flight in refused:
        heard = max((one.arrived for one in answers if one.known <= flight.sent), default=0.0)
        untold = [moment for moment in theirs if max(heard, flight.arrived - window) < moment <= flight.arrived]
        if untold:
            theirs.remove(untold[0])
        else:
            guilty.append(flight)
    return guilty, len(refused) - len(guilty)


def use(flights: Sequence[Flight], spends: Sequence[Spend], limit: int, window: float) -> tuple[float, float]:
    """(seconds in which a call waited, the sum of the share that was used over these seconds)."""
    changes: list[tuple[float, int, int]] = []  # (moment, tokens, waiting calls)
    for flight in flights:
        if flight.sent > flight.asked:
            changes += [(flight.asked, 0, 1), (flight.sent, 0, -1)]
    if not changes:
        return 0.0, 0.0
    for spend in spends:
        changes += [(spend.moment, spend.tokens, 0), (spend.moment + window, -spend.tokens, 0)]
    changes.sort()
    allowed = limit // GOOD * GOOD
    seconds = shares = before = 0.0
    used = waiting = 0
    for moment, tokens, calls in changes:
        if waiting:
            seconds += moment - before
            shares += (moment - before) * used / allowed
        used += tokens
        waiting += calls
        before = moment
    return seconds, shares
