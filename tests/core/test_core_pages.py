"""The judge over the pages of a list: its table, line by line, and that it ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.core.pages import Again, Failed, Remedy, Seen, Torn, Whole, count_of, judge, remedy_for, wait_for_next

OLD, NEW = 100.0, 200.0


def seen(version: float | None = OLD, pages: int | None = 3, round: int = 1, order: int = 1) -> Seen:
    """A page as it was seen."""
    return Seen(version, pages, round, order)


FIRST = seen(round=0)


@pytest.mark.parametrize(
    ("pages", "failed", "round", "mixed", "verdict"),
    [
        pytest.param({1: FIRST}, {}, 0, False, Again((2, 3), 0.0), id="after page 1, the others"),
        pytest.param({1: seen(pages=None, round=0)}, {}, 0, False, Whole(1, OLD, True), id="there is one page"),
        pytest.param({1: FIRST, 2: seen(), 3: seen()}, {}, 1, False, Whole(3, OLD, True), id="all there"),
        pytest.param({1: FIRST, 2: seen(), 3: seen(NEW)}, {}, 1, False, Again((1, 2), 0.0), id="it rolled over"),
        pytest.param({1: seen(NEW, round=0), 2: seen(), 3: seen(NEW)}, {}, 1, False, Again((2,), 1.0),
                     id="an old copy"),
        pytest.param({1: seen(NEW, round=0), 2: seen(round=3), 3: seen(NEW)}, {}, 3, False, Again((2,), 4.0),
                     id="and still"),
        pytest.param({1: seen(NEW, round=0), 2: seen(round=4), 3: seen(NEW)}, {}, 4, False,
                     Torn(3, NEW, (1, 3), (2,)), id="the rounds are used up"),
        pytest.param({1: seen(NEW, round=0), 2: seen(round=4), 3: seen(NEW)}, {}, 4, True, Whole(3, NEW, False),
                     id="mixed: the rounds are used up"),
        pytest.param({1: seen(NEW, round=0), 2: seen(), 3: seen(NEW)}, {}, 1, True, Again((2,), 1.0),
                     id="mixed: try once"),
        pytest.param({1: seen(NEW, round=0), 2: seen(round=2), 3: seen(NEW)}, {}, 2, True, Whole(3, NEW, False),
                     id="mixed: it stays odd"),
        pytest.param({1: FIRST, 2: seen()}, {3: Failed("again", 1, 2)}, 1, False, Again((3,), 1.0), id="one failed"),
        pytest.param({1: FIRST, 2: seen()}, {3: Failed("hopeless", 1, 2)}, 1, False, Torn(3, OLD, (1, 2), ()),
                     id="hopeless"),
        pytest.param({1: seen(NEW, 1, 2)}, {3: Failed("hopeless", 1, 2)}, 2, False, Whole(1, NEW, True),
                     id="hopeless, but of a page that there is no more"),
        pytest.param({1: FIRST, 2: seen()}, {3: Failed("again", 1, 2)}, 4, True, Torn(3, OLD, (1, 2), ()),
                     id="mixed does not mean incomplete"),
        pytest.param({1: FIRST, 2: seen()}, {3: Failed("gone", 1, 2)}, 1, False, Again((1,), 0.0),
                     id="gone: ask page 1"),
        pytest.param({1: seen(order=3, round=2), 2: seen()}, {3: Failed("gone", 1, 2)}, 2, False, Again((3,), 2.0),
                     id="gone, but page 1 has it"),
        pytest.param({1: seen(NEW, 2, 2, 3), 2: seen()}, {3: Failed("gone", 1, 2)}, 2, False, Again((2,), 0.0),
                     id="gone: it has shrunk"),
        pytest.param({1: FIRST, 2: seen(pages=4), 3: seen(pages=4)}, {}, 1, False, Again((1, 4), 0.0),
                     id="the same date, another number of pages"),
        pytest.param({1: FIRST, 2: seen(pages=None), 3: seen(pages=None)}, {}, 1, False, Whole(3, OLD, True),
                     id="only page 1 says the number"),
        pytest.param({1: seen(None, round=0)}, {}, 0, False, Torn(3, None, (1,), ()), id="no page says its version"),
        pytest.param({1: seen(None, round=0)}, {}, 0, True, Again((2, 3), 0.0), id="mixed: no version, the others"),
        pytest.param({1: seen(None), 2: seen(None), 3: seen(None)}, {}, 1, True, Whole(3, None, False),
                     id="mixed: no version, all there"),
        pytest.param({1: seen(None), 2: seen(), 3: seen()}, {}, 1, False, Again((1,), 0.0), id="only page 1 says none"),
        pytest.param({1: Seen(None, None, 0, 1, True)}, {}, 0, False, Whole(1, None, True), id="an empty list"),
        pytest.param({1: Seen(NEW, None, 2, 9, True), 2: seen(), 3: seen()}, {}, 2, False, Whole(1, NEW, True),
                     id="it has become empty"),
        pytest.param({1: seen(NEW, 2, 2, 3), 2: seen(NEW, 2, 2, 4), 3: seen()}, {}, 2, False, Whole(2, NEW, True),
                     id="what is beyond is of no list any more"),
    ],
)  # fmt: skip
def test_the_table(
    pages: dict[int, Seen], failed: dict[int, Failed], round: int, mixed: bool, verdict: Again | Whole | Torn
) -> None:
    """What was seen, and what follows."""
    assert verdict == judge(pages, failed, round=round, max_rounds=3, mixed=mixed)


@given(
    st.dictionaries(
        st.integers(1, 5),
        st.builds(
            Seen,
            st.sampled_from([None, OLD, NEW]),
            st.sampled_from([None, 1, 3, 5]),
            st.integers(0, 4),
            st.integers(1, 99),
            st.just(False),
        ),
    ),
    st.builds(Seen, st.sampled_from([None, OLD, NEW]), st.sampled_from([None, 1, 4]), st.just(0), st.just(1)),
    st.dictionaries(
        st.integers(1, 5),
        st.builds(Failed, st.sampled_from(["again", "gone", "hopeless"]), st.integers(1, 4), st.integers(1, 99)),
        max_size=2,
    ),
    st.integers(0, 5),
    st.booleans(),
)
def test_what_it_says_is_true(
    others: dict[int, Seen], first: Seen, failed: dict[int, Failed], round: int, mixed: bool
) -> None:
    """Whole is of one version, or says that it is not; pages are asked in the rounds that there are."""
    pages = {1: first, **others}
    verdict = judge(pages, failed, round=round, max_rounds=3, mixed=mixed)
    if isinstance(verdict, Whole):
        numbers = range(1, verdict.pages + 1)
        assert all(number in pages and number not in failed for number in numbers)
        versions = {pages[number].version for number in numbers}
        assert (not verdict.consistent) or versions == {verdict.version}
        assert verdict.consistent or mixed
    elif isinstance(verdict, Again):
        assert round <= 3
        assert verdict.numbers
        assert 0.0 <= verdict.pause_seconds <= 4.0
    else:
        assert {verdict.version} >= {pages[number].version for number in verdict.good}


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(0, "again"), (200, "again"), (500, "again"), (502, "again"), (204, "gone"), (404, "gone"), (403, "hopeless"),
     (401, "hopeless"), (420, "hopeless"), (429, "hopeless"), (304, "again")],
)  # fmt: skip
def test_what_is_done_about_a_page_that_is_not_given(status: int, remedy: Remedy) -> None:
    """By its status; 0 is the network."""
    assert remedy == remedy_for(status)


@pytest.mark.parametrize(("text", "pages"), [(None, None), ("1", 1), ("400", 400), ("0", 1), ("100000", 100_000)])
def test_the_number_of_pages(text: str | None, pages: int | None) -> None:
    """What X-Pages says; a list without pages is on one."""
    assert pages == count_of(text)


@pytest.mark.parametrize("text", ["", "x", "-3", "2.0", "100001", "9" * 40, "٣", "1, 2"])
def test_a_number_of_pages_that_cannot_be_meant(text: str) -> None:
    """It is not taken for 1."""
    with pytest.raises(ValueError, match="no number of pages"):
        count_of(text)


@pytest.mark.parametrize(
    ("fresh", "pages", "patience", "wait"),
    [
        (60.0, 400, 960.0, 0.0),  # 20 steps of half a second are done by then
        (9.9, 400, 960.0, 10.9),
        (9.9, 400, 5.0, 0.0),
        (9.9, 1, 960.0, 0.0),
        (0.0, 400, 960.0, 0.0),  # revalidated each time: no end to wait for
        (None, 400, 960.0, 0.0),
    ],
)
def test_T16_when_to_wait_for_the_next_list(fresh: float | None, pages: int, patience: float, wait: float) -> None:
    """When this one ends before the others could be fetched, and patience allows it."""
    assert wait == wait_for_next(fresh, pages, 20, 0.5, patience)


def test_T16_a_first_page_that_waited_says_nothing_of_the_others() -> None:
    """It was held up by a limit for a minute: the others are not thought to take as long."""
    assert wait_for_next(30.0, 200, 20, 60.0, 960.0) == 0.0
