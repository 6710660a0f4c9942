"""A memcached for the whole run (the Valkey is of all tests), and every backend over them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cache.backends import BACKENDS, MEMCACHED, SHARED, Backend, serve_memcached


@pytest.fixture(scope="session")
def memcached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The socket of a real memcached server, of this run alone."""
    if MEMCACHED is None:
        pytest.skip("memcached is not installed (Debian: apt-get install memcached): MemcachedCache has no server here")
    with serve_memcached(tmp_path_factory.mktemp("memcached")) as socket:
        yield socket


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Each cache that keeps anything."""
    made = Backend(request.param, request)
    yield made
    made.close()


@pytest.fixture(params=SHARED)
def shared(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Each cache that others can write to."""
    made = Backend(request.param, request)
    yield made
    made.close()
