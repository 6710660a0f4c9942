"""How requests leave: curl (the default), httpx2 (an extra), scripted (for tests)."""

from __future__ import annotations

from esipy.transport.base import AsyncTransport, Transport

__all__ = ["AsyncTransport", "Transport", "default_async_transport", "default_transport"]

_NEITHER = (
    "no HTTP library: pycurl cannot be imported ({curl}), nor httpx2 ({httpx2}); "
    'where there is no wheel of pycurl: pip install "EsiPy[httpx2]"'
)


def default_transport(max_idle: int | None = None) -> Transport:
    """A new blocking transport: curl, or httpx2 where there is no pycurl.

    Args:
        max_idle: how many connections that nobody uses are kept (curl only); None: as many as were used at once.

    Raises:
        ImportError: neither can be imported.
    """
    try:
        from esipy.transport.curl import CurlTransport
    except ImportError as curl:
        try:
            from esipy.transport.httpx2 import Httpx2Transport

            return Httpx2Transport()
        except ImportError as httpx2:
            raise ImportError(_NEITHER.format(curl=curl, httpx2=httpx2)) from None
    return CurlTransport(max_idle=max_idle)


def default_async_transport() -> AsyncTransport:
    """A new asyncio transport: curl, or httpx2 where there is no pycurl.

    Raises:
        ImportError: neither can be imported.
    """
    try:
        from esipy.transport.curl_aio import AsyncCurlTransport
    except ImportError as curl:
        try:
            from esipy.transport.httpx2 import AsyncHttpx2Transport

            return AsyncHttpx2Transport()
        except ImportError as httpx2:
            raise ImportError(_NEITHER.format(curl=curl, httpx2=httpx2)) from None
    return AsyncCurlTransport()
