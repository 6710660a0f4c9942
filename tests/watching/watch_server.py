"""A server that the test changes, and a client on virtual time that watches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from esipy import ops
from esipy.core.wire import HttpRequest, HttpResponse
from tests.engine.kit import answer
from tests.watching.watch_kit import Post

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
