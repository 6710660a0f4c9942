"""A person at a browser, played: opens the login page, picks a character, presses a button, is sent back.

The form is read from the page as it came, so that the page is tested by everyone who logs in with it.
"""

from __future__ import annotations

from html.parser import HTMLParser
from http.client import HTTPConnection
from urllib.parse import urlencode, urljoin, urlsplit

__all__ = ["approve", "deny"]

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def approve(auth_uri: str, character_id: int) -> str:
    """Log this character in at a login page.

    Args:
        auth_uri: the address an application sends its users to.
        character_id: who logs in.

    Returns:
        Where the browser is sent: the application's address with ``code`` and ``state``, or ``error``.

    Raises:
        ValueError: the SSO shows an error page, or has no such character.
    """
    return _answer(auth_uri, {"character_id": str(character_id), "decision": "approve"})


def deny(auth_uri: str) -> str:
    """Refuse the login; see `approve`."""
    return _answer(auth_uri, {"decision": "deny"})


def _answer(auth_uri: str, choice: dict[str, str]) -> str:
    status, location, page = _exchange("GET", auth_uri)
    if location is not None:
        return location  # the application's mistake is told to the application, without a page
    form = _Form()
    form.feed(page)
    if form.action is None:
        raise ValueError(f"the SSO shows an error page ({status}): {form.text}")
    if "character_id" in choice and choice["character_id"] not in form.characters:
        choice = {**choice, "other_id": choice["character_id"]}
    status, location, page = _exchange("POST", urljoin(auth_uri, form.action), urlencode(choice))
    if location is None:
        refusal = _Form()
        refusal.feed(page)
        raise ValueError(f"the SSO did not send the browser back ({status}): {refusal.text}")
    return location


def _exchange(method: str, url: str, body: str | None = None) -> tuple[int, str | None, str]:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=10)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body, _FORM if body is not None else {})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location"), answer.read().decode()
    finally:
        connection.close()


class _Form(HTMLParser):
    """The form of a page: where it goes to, and which characters it offers; and the page's paragraphs."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.characters: set[str] = set()
        self.text = ""
        self._in_text = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self.action = values.get("action")
        elif tag == "input" and values.get("name") == "character_id":
            self.characters.add(values.get("value") or "")
        self._in_text = tag == "p"

    def handle_data(self, data: str) -> None:
        if self._in_text:
            self.text = f"{self.text} {data}".strip()
