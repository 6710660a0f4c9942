"""Who is told: adding, removing, decorating, with-blocks, muting, and version 1's list."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.events import API_CALL_STATS, Signal

Calls = list[tuple[str, dict[str, Any]]]


class Heard:
    """Receivers of every kind, which write down their name and what they got."""

    def __init__(self) -> None:
        self.calls: Calls = []

    def method(self, **kwargs: Any) -> None:
        self.calls.append(("method", kwargs))

    def __call__(self, **kwargs: Any) -> None:
        self.calls.append(("object", kwargs))

    def named(self, name: str) -> Callable[..., None]:
        def function(**kwargs: Any) -> None:
            self.calls.append((name, kwargs))

        return function

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_any_callable_is_a_receiver(heard: Heard) -> None:
    """Functions, bound methods, partials, objects with __call__ and builtins are told, in the order of adding."""
    signal = Signal()
    seen: dict[str, Any] = {}

    def second(name: str, **kwargs: Any) -> None:
        heard.calls.append((name, kwargs))

    for receiver in (heard.named("function"), functools.partial(second, "partial"), heard.method, heard, seen.update):
        signal.add_receiver(receiver)
    signal.send(a=1)
    assert [("function", {"a": 1}), ("partial", {"a": 1}), ("method", {"a": 1}), ("object", {"a": 1})] == heard.calls
    assert {"a": 1} == seen


@pytest.mark.parametrize("wrong", [None, "text", 3, {"a": 1}])
def test_what_cannot_be_called_is_refused_by_name(wrong: Any) -> None:
    """Adding something that is not callable is a TypeError that names it, and nothing is added."""
    signal = Signal("JOB_DONE")
    with pytest.raises(TypeError, match="a receiver of JOB_DONE has to be callable") as caught:
        signal.add_receiver(wrong)
    assert repr(wrong) in str(caught.value)
    assert () == signal.receivers


def test_T54_methods_and_functions_absent_ones_and_twice(heard: Heard) -> None:
    """A bound method is removed by an equal one; removing what was never added is no error; twice is twice."""
    signal = Signal()
    function = heard.named("function")
    signal.remove_receiver(function)
    signal.remove_receiver(heard.method)
    for receiver in (function, heard.method, function):
        signal.add_receiver(receiver)
    signal.send()
    assert ["function", "method", "function"] == heard.names
    signal.remove_receiver(heard.method)
    signal.remove_receiver(function)
    signal.remove_receiver(Heard().method)
    assert (function,) == signal.receivers
    signal.remove_receiver(function)
    assert not signal.receivers


def test_connect_decorates_and_gives_the_function_back(heard: Heard) -> None:
    """@signal.connect adds the function, and leaves its name to the function itself."""
    signal = Signal()

    @signal.connect
    def plain(**kwargs: Any) -> str:
        heard.calls.append(("plain", kwargs))
        return "mine"

    @signal.connect(deferred=True)
    def later(**kwargs: Any) -> None:
        heard.calls.append(("later", kwargs))

    assert "mine" == plain()
    assert (plain, later) == signal.receivers
    signal.send(a=1)
    assert signal.flush(10)
    assert [("plain", {}), ("plain", {"a": 1}), ("later", {"a": 1})] == heard.calls


def test_connected_to_removes_what_it_added_and_nothing_else(heard: Heard) -> None:
    """A with-block tells the receiver once more within it; what was there before keeps its place, even after errors."""
    signal = Signal()
    first, second = heard.named("first"), heard.named("second")
    signal.add_receiver(first)
    signal.add_receiver(second)

    def fail() -> None:
        with signal.connected_to(first):
            signal.send()
            signal.add_receiver(heard)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ["first", "second", "first"] == heard.names
    assert (first, second, heard) == signal.receivers


def test_muted_tells_nobody_until_the_last_block_ends(heard: Heard) -> None:
    """Within muted() nobody is told; blocks may nest, and receivers that are added meanwhile are told afterwards."""
    signal = Signal()
    signal.add_receiver(heard.named("before"))
    with signal.muted():
        with signal.muted():
            signal.send()
        signal.add_receiver(heard.named("within"))
        assert not signal.has_receivers
        assert 2 == len(signal.receivers)
        assert "<Signal Signal(), 2 receivers, muted>" == repr(signal)
        signal.send_robust()
    assert signal.has_receivers
    signal.send()
    assert ["before", "within"] == heard.names


def test_event_receivers_is_version_1s_list(heard: Heard) -> None:
    """The old list reads and changes the signal: in, len, append, remove, +=, assignment, comparison."""
    signal = Signal()
    one, two = heard.named("one"), heard.named("two")
    assert signal.event_receivers == []
    signal.add_receiver(one)
    assert one in signal.event_receivers
    signal.event_receivers.append(two)
    signal.event_receivers += [heard]
    assert signal.event_receivers == [one, two, heard]
    signal.event_receivers.remove(one)
    signal.event_receivers[0] = one
    del signal.event_receivers[1]
    signal.event_receivers.insert(0, two)
    assert 2 == len(signal.event_receivers)
    assert two is signal.event_receivers[0]
    assert [one] == signal.event_receivers[1:]
    assert repr([two, one]) == repr(signal.event_receivers)
    signal.send()
    assert ["two", "one"] == heard.names
    other = Signal()
    other.event_receivers = signal.event_receivers
    assert other.event_receivers == signal.event_receivers
    signal.event_receivers = []
    assert () == signal.receivers
    assert (two, one) == other.receivers


def test_event_receivers_keeps_who_is_deferred(heard: Heard) -> None:
    """A deferred receiver that stays in the assigned list stays deferred."""
    signal = Signal()
    signal.add_receiver(heard.named("later"), deferred=True)
    gone = heard.named("gone")
    signal.add_receiver(gone)
    signal.event_receivers = [each for each in signal.event_receivers if each is not gone]
    signal.send()
    assert signal.flush(10)
    assert ["later"] == heard.names
    assert signal.event_receivers == list(signal.receivers)
    with pytest.raises(TypeError, match="has to be callable"):
        signal.event_receivers = ["text"]  # type: ignore[list-item]
    assert 1 == len(signal.receivers)


def test_a_receiver_that_needs_more_than_there_is_is_refused() -> None:
    """Requiring an argument the signal lacks is a TypeError that names it, the receiver, and what there is."""

    def greedy(url: str, token: str) -> None: ...

    def positional(url: str, /, **kwargs: Any) -> None: ...

    with pytest.raises(TypeError) as caught:
        API_CALL_STATS.add_receiver(greedy)  # type: ignore[arg-type]
    assert "greedy requires 'token', which the signal does not have; API_CALL_STATS gives" in str(caught.value)
    assert "url, status_code, elapsed_time, message, operation_id, method, principal, attempt" in str(caught.value)
    with pytest.raises(TypeError, match=r"positional requires 'url', by position"):
        API_CALL_STATS.add_receiver(positional)  # type: ignore[arg-type]
    assert () == API_CALL_STATS.receivers
    Signal("UNDECLARED").add_receiver(greedy)


def test_a_decorator_may_give_what_the_signal_does_not() -> None:
    """A wrapped function shows the inner one's parameters; what is missing there is the decorator's affair."""
    got: list[Any] = []

    def with_session(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def wrapper(**kwargs: Any) -> None:
            function("session", **kwargs)

        return wrapper

    @with_session
    def save(session: str, status_code: int) -> None:
        got.append((session, status_code))

    with API_CALL_STATS.connected_to(save):
        API_CALL_STATS.send(
            url="",
            status_code=304,
            elapsed_time=0.1,
            message="",
            operation_id="GetStatus",
            method="GET",
            principal="",
            attempt=1,
        )
    assert [("session", 304)] == got


steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["add", "remove", "append", "discard"]), st.integers(0, 3)),
        st.tuples(st.sampled_from(["mute", "unmute", "send", "robust", "clear"]), st.just(0)),
    ),
    max_size=40,
)


@given(steps)
def test_a_signal_is_a_list_that_is_called(steps: list[tuple[str, int]]) -> None:
    """Order and multiplicity are those of a list under any sequence of changes; muting only silences."""
    heard: list[int] = []
    receivers = [functools.partial(lambda number, **_: heard.append(number), number) for number in range(4)]
    signal, model, expected, mutes = Signal(), list[int](), list[int](), []
    for step, number in steps:
        match step:
            case "add":
                signal.add_receiver(receivers[number])
                model.append(number)
            case "append":
                signal.event_receivers.append(receivers[number])
                model.append(number)
            case "remove":
                signal.remove_receiver(receivers[number])
                if number in model:
                    model.remove(number)
            case "discard" if number in model:
                del signal.event_receivers[model.index(number)]
                model.remove(number)
            case "clear":
                signal.event_receivers = []
                model.clear()
            case "mute":
                mutes.append(signal.muted())
                mutes[-1].__enter__()
            case "unmute" if mutes:
                mutes.pop().__exit__(None, None, None)
            case "send" | "robust":
                (signal.send if step == "send" else signal.send_robust)(any=1)
                expected += [] if mutes else model
        assert [receivers[each] for each in model] == signal.event_receivers
        assert (bool(model) and not mutes) == signal.has_receivers
    assert expected == heard
