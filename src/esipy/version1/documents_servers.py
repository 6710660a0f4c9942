"""Where the operations of another document are sent: the server it names, or the one it was fetched from.

Source: OpenAPI 3.1, Server Object; Swagger 2.0, ``schemes``, ``host`` and ``basePath``.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from esipy.version1.documents_places import Place

__all__ = ["openapi_server", "swagger_server"]


def openapi_server(holders: tuple[Place, ...], address: str) -> str:
    """The first server that the first of these places names; "" when there is none.

    Args:
        holders: the operation, its path, the document.
        address: of the document, for servers that are named relative to it.

    Raises:
        DocumentError: it is no address.
    """
    for holder in holders:
        for server in holder.get("servers").items():
            url = server.get("url").text()
            for name, variable in server.get("variables").fields():
                url = url.replace(f"{{{name}}}", variable.get("default").text())
            return _absolute(server, url, address)
    return _absolute(holders[-1], "/", address)


def swagger_server(root: Place, address: str) -> str:
    """What the document says of its server, https where there is a choice; "" when nothing does.

    Raises:
        DocumentError: it is no address.
    """
    here = urlsplit(address)
    offered = [scheme.text() for scheme in root.get("schemes").items()]
    own = here.scheme if here.scheme in ("http", "https") else "https"
    scheme = "https" if "https" in offered else "http" if "http" in offered else own
    host = root.get("host").text_or("") or here.netloc
    return _absolute(root, f"{scheme}://{host}{root.get('basePath').text_or('')}", address) if host else ""


def _absolute(place: Place, url: str, address: str) -> str:
    try:
        whole = urljoin(address, url)
        parts = urlsplit(whole)
        host, _ = parts.hostname, parts.port  # reading a port that is no number raises
    except ValueError:
        place.refuse(f"{url!r} is no address of a server")
    if "@" in parts.netloc or "?" in whole or "#" in whole or not whole.isascii() or not whole.isprintable():
        place.refuse("a server's address has neither user, query nor fragment")  # not shown: it may hold a password
    if " " in whole or "{" in whole:
        place.refuse(f"{url!r} is no address of a server")
    return whole.rstrip("/") if parts.scheme in ("http", "https") and host else ""
