"""What the tests of web logins stand on: the examples' applications as their frameworks' own test clients serve them,
and people with browsers, who keep cookies and go where they are sent.

Django's settings are one for a process, so that its application has a process of its own.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest

from esipy import AsyncEsiClient, EsiClient
from esipy.sandbox import RunningSandbox, serve
from esipy.sandbox.tokens import Client
from esipy.tokens import MemoryTokens
from tests.ports import free_port

EXAMPLES = Path(__file__).parents[2] / "examples"
REDIRECT_URI = "http://127.0.0.1:8635/callback"
SECURE_URI = "https://127.0.0.1/callback"
SECRET = "web-secret-1"
ME = {"User-Agent": "Tests/1.0 (tests@example.com)"}
FORM = "application/x-www-form-urlencoded"
SESSION_COOKIES = {"flask": "session", "fastapi": "session", "django": "sessionid"}
FRAMEWORKS = list(SESSION_COOKIES)


class Answer(NamedTuple):
    """What a browser is told."""

    status: int
    headers: list[tuple[str, str]]
    text: str

    def header(self, name: str) -> str:
        """A header's value; empty when it is not there."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def location(self) -> str:
        """Where the browser is sent."""
        return self.header("Location")


Ask = Callable[[str, str, dict[str, str], bytes], Answer]
"""One exchange: method, path with its query, headers, body."""


class Person:
    """Somebody with a browser at a site: it keeps the site's cookies.

    Attributes:
        cookies: by name.
        set_cookies: every ``Set-Cookie`` that came.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []

    def get(self, address: str) -> Answer:
        """Go to an address of the site: its path and query count."""
        return self._exchange("GET", address, {}, b"")

    def post(self, path: str, **form: str) -> Answer:
        """Send a form."""
        return self._exchange("POST", path, {"Content-Type": FORM}, urlencode(form).encode())

    def begin(self) -> str:
        """Press "log in"; gives the address of the SSO's login page."""
        answer = self.get("/login")
        assert answer.status in (302, 307), answer
        return answer.location

    def log_in(self, eve: RunningSandbox, character_id: int) -> Answer:
        """The whole way; gives the page that it ends at."""
        answer = self.get(eve.approve(self.begin(), character_id))
        assert (answer.status in (302, 307), "/") == (True, answer.location), answer
        return self.get("/")

    def log_out(self) -> Answer:
        """Press the button of the page, with whatever its form holds."""
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', self.get("/").text)
        return self.post("/logout", **dict(fields))

    def _exchange(self, method: str, address: str, headers: dict[str, str], body: bytes) -> Answer:
        parts = urlsplit(address)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self._ask(method, parts.path + (f"?{parts.query}" if parts.query else ""), headers, body)
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                self.set_cookies.append(value)
                for key, morsel in SimpleCookie(value).items():
                    if morsel.value and morsel["max-age"] != "0" and "1970" not in morsel["expires"]:
                        self.cookies[key] = morsel.value
                    else:
                        self.cookies.pop(key, None)
        return answer


class Site(NamedTuple):
    """An application of the examples, and the sandbox that its users log in at."""

    framework: str
    ask: Ask
    eve: RunningSandbox

    def person(self) -> Person:
        """Somebody who comes for the first time."""
        return Person(self.ask)

    def exchanges(self) -> int:
        """How many codes the SSO was shown."""
        forms = (entry.form for entry in self.eve.received("/v2/oauth/token", "POST"))
        return sum(1 for form in forms if dict(form).get("grant_type") == "authorization_code")


@contextmanager
def site_of(framework: str, redirect_uri: str = REDIRECT_URI) -> Iterator[Site]:
    """The application of an example, as its framework's test client serves it."""
    with (
        serve(clients=[Client("web", SECRET, (redirect_uri,))]) as eve,
        ASKERS[framework](eve.url, redirect_uri) as ask,
    ):
        yield Site(framework, ask, eve)


def example(framework: str) -> ModuleType:
    """The example's module."""
    name = f"{framework}_login"
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def over_http(netloc: str) -> Ask:
    """A server that is really there."""

    def ask(method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        connection = HTTPConnection(netloc, timeout=60)
        try:
            connection.request(method, target, body or None, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read().decode())
        finally:
            connection.close()

    return ask


@contextmanager
def served(framework: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An example in a process of its own, and the address that it prints; the process is gone afterwards."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{framework}_login.py"), str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                process.wait(60)
                assert process.stderr is not None
                pytest.fail(process.stderr.read())
            found = re.fullmatch(r"open (http://127\.0\.0\.1:\d+/)\n", line)
            assert found, line
            yield process, found[1]
        finally:
            process.kill()


def _application(url: str) -> dict[str, Any]:
    return {
        "client_id": "web",
        "secret_key": SECRET,
        "tokens": MemoryTokens(),
        "base_url": url,
        "sso_url": url,
        "cache": None,
        "headers": ME,
    }


@contextmanager
def _flask(url: str, redirect_uri: str) -> Iterator[Ask]:
    with EsiClient(**_application(url)) as client:
        browser = example("flask").make_app(client, redirect_uri).test_client(use_cookies=False)

        def ask(method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
            answer = browser.open(target, method=method, headers=headers, data=body)
            return Answer(answer.status_code, list(answer.headers.items()), answer.get_data(as_text=True))

        yield ask


@contextmanager
def _fastapi(url: str, redirect_uri: str) -> Iterator[Ask]:
    from fastapi.testclient import TestClient

    app = example("fastapi").make_app(AsyncEsiClient(**_application(url)), redirect_uri)
    with TestClient(app, follow_redirects=False) as browser:

        def ask(method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
            answer = browser.request(method, target, headers=headers, content=body)
            browser.cookies.clear()
            return Answer(answer.status_code, answer.headers.multi_items(), answer.text)

        yield ask


@contextmanager
def _django(url: str, redirect_uri: str) -> Iterator[Ask]:
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    child = processes.Process(target=_serve_django, args=(theirs, url, redirect_uri), daemon=True)
    child.start()
    theirs.close()

    def ask(*question: object) -> Answer:
        ours.send(question)
        assert ours.poll(60), "Django does not answer"
        answer: Answer = ours.recv()
        return answer

    try:
        yield ask
    finally:
        ours.close()
        child.join(60)
    assert 0 == child.exitcode


def _serve_django(asked: Connection, url: str, redirect_uri: str) -> None:
    warnings.simplefilter("error")
    with EsiClient(**_application(url)) as client:
        example("django").make_app(client, redirect_uri)
        from django.test import Client as Browser

        while True:
            try:
                method, target, headers, body = asked.recv()
            except EOFError:
                return
            browser = Browser(enforce_csrf_checks=True)
            kind = headers.pop("Content-Type", FORM)
            answer = browser.generic(
                method, target, body, kind, secure=redirect_uri == SECURE_URI, headers={"Host": "127.0.0.1", **headers}
            )
            cookies = [("Set-Cookie", morsel.OutputString()) for morsel in answer.cookies.values()]
            asked.send(Answer(answer.status_code, [*answer.headers.items(), *cookies], answer.content.decode()))


ASKERS = {"flask": _flask, "fastapi": _fastapi, "django": _django}
