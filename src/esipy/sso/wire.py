"""How the SSO is asked: requests, answers and errors.

Rules kept here: secrets go to https (or to this machine) only (T45); redirects are errors; an error carries
no token, code, secret or verifier, not even one that the SSO put in its answer (T44); and only 400
``invalid_grant`` says that a token is dead, while everything else means "try later" (T40).

Source: RFC 6749 sections 2.3.1 and 5.2; EVE SSO documentation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode, urlsplit

from esipy.core.hiding import hide_all
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.exceptions import NetworkError, SettingError, SSOUnavailableError, TokenRevokedError
from esipy.runtime.base import Runtime

__all__ = ["Asker", "is_private", "read_object", "require_private"]

MAX_ANSWER_BYTES = 1024 * 1024
"""No answer of an SSO is larger; what is, is not one."""

MARGIN_SECONDS = 10.0

_SHOWABLE = ("grant_type", "scope", "token_type_hint", "client_id")
"""The fields of a form that an error may carry."""

_HIDDEN_HEADERS = ("set-cookie", "location")


class Asker(NamedTuple):
    """Sends to an SSO, always in the same manner.

    Attributes:
        headers: sent with every request, the User-Agent among them.
        timeout: seconds for one exchange.
        connect_timeout: seconds to make a connection.
    """

    headers: tuple[tuple[str, str], ...]
    timeout: float
    connect_timeout: float

    @property
    def limit_seconds(self) -> float:
        """In which an exchange is over for certain, even where many threads share a processor."""
        return self.timeout + MARGIN_SECONDS

    def __repr__(self) -> str:
        return f"<Asker, {self.timeout:g} s>"  # a program's own headers may be secret

    async def get_object(self, runtime: Runtime, url: str) -> tuple[dict[str, Any], Headers]:
        """Fetch a public document: a JSON object, and the headers it came with.

        Raises:
            SSOUnavailableError: it could not be had.
        """
        request = self._request("GET", url, (), None)
        answer = await self._send(runtime, request)
        document = read_object(answer.body) if answer.status == 200 else None
        if document is None:
            raise failure(url, answer, {}, ())
        return document, answer.headers

    async def post(
        self,
        runtime: Runtime,
        url: str,
        form: Mapping[str, str],
        *,
        authorization: str | None,
        secrets: Collection[str],
    ) -> HttpResponse:
        """Send a form, encoded once; gives an answer of 200 to 299.

        Args:
            authorization: the ``Authorization`` header; None sends none.
            secrets: every text that an error must not show.

        Raises:
            TokenRevokedError: 400 ``invalid_grant``.
            SSOUnavailableError: any other answer, or none.
        """
        extra = [("Content-Type", "application/x-www-form-urlencoded")]
        if authorization is not None:
            extra.append(("Authorization", authorization))
        request = self._request("POST", url, extra, urlencode(form).encode("ascii"))
        answer = await self._send(runtime, request)
        if not 200 <= answer.status < 300:
            raise failure(url, answer, form, secrets)
        return answer

    def _request(self, method: str, url: str, extra: Iterable[tuple[str, str]], body: bytes | None) -> HttpRequest:
        merged = {
            name.lower(): (name, value) for name, value in (*self.headers, ("Accept", "application/json"), *extra)
        }
        return HttpRequest(
            method,
            url,
            tuple(merged.values()),
            body,
            connect_timeout=self.connect_timeout,
            timeout=self.timeout,
            max_answer_bytes=MAX_ANSWER_BYTES,
        )

    async def _send(self, runtime: Runtime, request: HttpRequest) -> HttpResponse:
        try:
            return await runtime.send(request)
        except NetworkError as error:
            raise SSOUnavailableError(
                request.url, 0, message=f"the SSO could not be reached: {error.reason}; try later, the token is kept"
            ) from error


def failure(
    url: str, answer: HttpResponse, form: Mapping[str, str], secrets: Collection[str]
) -> TokenRevokedError | SSOUnavailableError:
    """The error for an answer, with what may be shown of it."""
    document = read_object(answer.body) or {}
    reason = hide_all(str(document.get("error") or ""), secrets)
    # The body of a good status may hold tokens that we never learnt: it is not shown at all.
    shown = "" if 200 <= answer.status < 300 else hide_all(answer.body.decode("utf-8", "replace"), secrets)
    headers = Headers(
        (name, hide_all(value, secrets)) for name, value in answer.headers.pairs() if name not in _HIDDEN_HEADERS
    )
    if answer.status == 400 and reason == "invalid_grant":
        kind: type[TokenRevokedError | SSOUnavailableError] = TokenRevokedError
        message = "the SSO refused the grant (invalid_grant): it was used, revoked or is not yours; log in again"
    elif reason in ("invalid_client", "unauthorized_client"):
        kind = SSOUnavailableError
        message = f"the SSO refused the application ({answer.status} {reason}): check client_id and secret_key"
    else:
        kind = SSOUnavailableError
        said = f"{answer.status} {reason}".strip() + (" with an unreadable body" if not document else "")
        message = f"the SSO answered {said}; try later, the token is kept"
    return kind(
        url,
        answer.status,
        response=shown,
        request_param={name: form[name] for name in _SHOWABLE if name in form},
        response_header=headers,
        message=message,
    )


def read_object(body: bytes) -> dict[str, Any] | None:
    """A JSON object; None when it is anything else."""
    import msgspec

    try:
        document = msgspec.json.decode(body)
    except ValueError:
        return None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else None


def is_private(url: str) -> bool:
    """Whether nobody on the way can read what is sent there: https, or this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None or parts.scheme not in ("http", "https"):
        return False
    return parts.scheme == "https" or host == "localhost" or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def require_private(name: str, url: object) -> str:
    """Refuse an address to which no secret may be sent.

    Raises:
        SettingError: names the setting.
    """
    if not isinstance(url, str) or not is_private(url):
        raise SettingError(f"{name}: has to be an https address (http only for 127.0.0.1 and localhost)")
    return url
