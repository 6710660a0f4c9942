"""Documents of other APIs than ESI's: OpenAPI 3.x and Swagger 2.0 in JSON, from a file or an address.

Rules kept here: any address at ESI means the catalogue of this package, and so does a document that says it is at
ESI; a document is read through the library's own transport, follows a bounded number of redirects and is of bounded
size; whatever is wrong in it is told with its place, as a JSON pointer (RFC 6901).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from esipy import ops
from esipy._agent import sent_user_agent
from esipy.core.wire import HttpRequest
from esipy.exceptions import DocumentError
from esipy.operation import Operation
from esipy.settings import Settings
from esipy.version1.documents_operations import read_operations
from esipy.version1.documents_places import Place
from esipy.version1.gone import GONE, RENAMED

__all__ = ["Document", "is_at_esi", "read"]

_ESI_HOSTS = frozenset({"esi.evetech.net", "esi.tech.ccp.is"})
MOST_REDIRECTS = 5


class Document(NamedTuple):
    """What was read.

    Attributes:
        title: its own name, or its address.
        version: of its form: ``2.0``, ``3.0.x``, ``3.1.x``.
        schemes: how its calls are sent.
        operations: by id.
    """

    title: str
    version: str
    schemes: list[str]
    operations: Mapping[str, Operation[Any]]


def is_at_esi(address: str) -> bool:
    """Whether an address, with a scheme or without, is ESI's: by its own names, or as the settings name it."""
    esi = urlsplit(Settings.from_environment().base_url)
    try:
        here = urlsplit(address)
        return here.hostname in _ESI_HOSTS or (here.netloc != "" and _origin(here) == _origin(esi))
    except ValueError:  # no address at all
        return False


def _origin(parts: Any) -> tuple[str | None, int]:
    return parts.hostname, parts.port or (80 if parts.scheme == "http" else 443)


def read(address: str) -> Document | None:
    """Read a document; None when it is ESI's.

    Raises:
        DocumentError: it is not there, not JSON, or wrong; the text names the place.
        NetworkError: no usable answer came.
    """
    if not isinstance(address, str) or not address.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DocumentError(f"{address!r} is no address of a document: it has to be a path or a URL")
    if is_at_esi(address):
        return None
    try:
        user = urlsplit(address).username
    except ValueError:
        raise DocumentError(f"{address!r} is no address of a document: it has to be a path or a URL") from None
    if user is not None:  # and maybe a password, which would be in every error
        raise DocumentError("a document's address has no user in it")
    body, address = _load(address.strip())
    root = Place.of_document(body, address)
    operations, bases = read_operations(root, address, body)
    if any(is_at_esi(base) for base in bases) and (not operations or any(map(_is_esis, operations))):
        return None  # a copy of ESI's own; one that has nothing of ESI's is the program's, wherever it is served
    title = root.get("info").get("title").text_or(address)
    schemes = sorted({urlsplit(base).scheme for base in bases if base})
    version = root.get("openapi").text_or("") or root.get("swagger").text_or("")
    return Document(title, version, schemes, operations)


def _is_esis(name: str) -> bool:
    """Whether ESI has an operation of this id, or had it; its older document listed the documents themselves."""
    return name in GONE or name.endswith("_swagger") or name in ops.names() or name in RENAMED


def _load(address: str) -> tuple[bytes, str]:
    """The document's bytes, and where they were in the end."""
    parts = urlsplit(address)
    if parts.scheme in ("http", "https"):
        return _fetch(address)
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
    elif len(parts.scheme) > 1:  # one letter is a drive
        raise DocumentError(f"{address}: cannot read documents by {parts.scheme}://; it has to be a path or a URL")
    else:
        path = Path(address)
    if path.is_dir():
        path = path / "swagger.json"
    limit = Settings.from_environment().max_answer_bytes
    try:
        with path.open("rb") as file:
            body = file.read(limit + 1)
    except OSError as error:
        raise DocumentError(f"{address}: {error.strerror or error}") from None
    if len(body) > limit:
        raise DocumentError(f"{address}: larger than {limit} bytes; ESI_MAX_ANSWER_BYTES sets the limit")
    return body, path.absolute().as_uri()


def _fetch(address: str) -> tuple[bytes, str]:
    from esipy.transport import default_transport

    settings = Settings.from_environment()
    transport = default_transport()
    try:
        for _ in range(MOST_REDIRECTS + 1):
            request = HttpRequest(
                "GET",
                address,
                (("Accept", "application/json"), ("User-Agent", sent_user_agent(settings.user_agent))),
                connect_timeout=settings.connect_timeout,
                timeout=settings.timeout,
                max_answer_bytes=settings.max_answer_bytes,
            )
            response = transport.send(request)
            location = response.headers.get("location")
            if response.status not in (301, 302, 303, 307, 308) or location is None:
                break
            address = urljoin(address, location)
            if urlsplit(address).scheme not in ("http", "https"):
                raise DocumentError(f"{address}: a document is not fetched from there")
        else:
            raise DocumentError(f"{address}: more than {MOST_REDIRECTS} redirects")
    finally:
        transport.close()
    if response.status != 200:
        raise DocumentError(f"{address}: HTTP status {response.status}")
    return response.body, address
