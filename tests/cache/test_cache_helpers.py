"""Version 1's helpers about caches, in `esipy.utils`."""

from __future__ import annotations

import time
from email.utils import formatdate
from types import SimpleNamespace

import pytest

from esipy import utils
from esipy.cache import BaseCache, DictCache, DummyCache
from esipy.utils import check_cache, get_cache_time_left, make_cache_key


def test_check_cache_reads_version_1s_argument() -> None:
    """False is one in memory, None is none, a cache is itself; the classes can be had from `utils` too."""
    own = BaseCache()
    assert own is check_cache(own)
    assert [DictCache, DummyCache] == [type(check_cache(False)), type(check_cache(None))]
    assert (utils.BaseCache, utils.DictCache) == (BaseCache, DictCache)


@pytest.mark.parametrize("cache", ["memory", {}, object(), True])
def test_check_cache_refuses_the_rest(cache: object) -> None:
    """A ValueError, as in version 1."""
    with pytest.raises(ValueError, match="Provided cache must implement BaseCache"):
        check_cache(cache)  # type: ignore[arg-type]


def test_a_cache_key_is_what_version_1_made() -> None:
    """Address, headers, path and query; equal for equal requests in any order, and hashable."""

    def request(**query: str) -> SimpleNamespace:
        parts = {"header": {"User-Agent": "x"}, "path": {"region_id": "1"}, "query": list(query.items())}
        return SimpleNamespace(url="//esi.evetech.net/x/", _p=parts)

    key = make_cache_key(request(a="1", b="2"))
    assert {key: 1} == {make_cache_key(request(b="2", a="1")): 1}
    assert key != make_cache_key(request(a="1", b="3"))
    assert ("//esi.evetech.net/x/", frozenset({("User-Agent", "x")}), frozenset({("region_id", "1")})) == key[:3]


def test_the_time_that_is_left() -> None:
    """Whole seconds from now; below 0 when it is past."""
    now = time.time()
    left = [get_cache_time_left(formatdate(now + seconds, usegmt=True)) for seconds in (300, -300)]
    assert [300, -300] == pytest.approx(left, abs=2)
    assert isinstance(left[0], int)


@pytest.mark.parametrize("text", ["soon", "", None])
def test_no_date_is_an_error(text: str) -> None:
    """That shows the text."""
    with pytest.raises(ValueError, match="no date"):
        get_cache_time_left(text)
