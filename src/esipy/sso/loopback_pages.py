"""What a browser shows at the end of a login on this machine: one page, which says what happened and can be closed.

Rules: nothing is loaded and no script runs, which the page's policy enforces; every text is escaped; the page has an
address of its own, so that neither a code nor a state stays in the address bar; nothing of it is kept or sent on as a
referrer.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from typing import NamedTuple

__all__ = ["HEADERS", "Page", "denied", "failed", "logged_in", "misplaced"]

_STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1b2530, #e6edf3); --dim: light-dark(#5a6875, #93a1ae);
  --line: light-dark(#dde3e9, #2b3440); --card: light-dark(#fff, #141a21); --ground: light-dark(#eef1f4, #0b0f14); }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 2rem 1rem; color: var(--ink);
  background: var(--ground); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { width: min(32rem, 100%); background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  border-top: 4px solid var(--tone); padding: 2rem; }
.good { --tone: light-dark(#1a7f4b, #3fb27f); }
.plain { --tone: light-dark(#9a6a00, #d9a441); }
.bad { --tone: light-dark(#b3362b, #e5695e); }
svg { width: 44px; height: 44px; color: var(--tone); }
h1 { font-size: 1.35rem; line-height: 1.3; margin: .6rem 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: .8rem; letter-spacing: .08em; text-transform: uppercase; color: var(--dim); margin: 1.4rem 0 .4rem; }
p { margin: .3rem 0; color: var(--dim); overflow-wrap: anywhere; }
ul { margin: 0; padding: 0; list-style: none; max-height: 16rem; overflow: auto; }
li { padding: .1rem 0; font: 14px/1.5 ui-monospace, Consolas, monospace; overflow-wrap: anywhere; }
footer { margin-top: 1.6rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--dim); }
"""

_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", _POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
"""What every answer of the listener says beside its type and length."""

_SIGNS = {
    "good": '<path d="M14 25l7 7 14-16"/>',
    "plain": '<path d="M15 24h18"/>',
    "bad": '<path d="M17 17l14 14M31 17L17 31"/>',
}


class Page(NamedTuple):
    """One page.

    Attributes:
        status: the HTTP status that it is answered with.
        name: the last part of the address that it is shown at.
        html: the whole page.
    """

    status: int
    name: str
    html: bytes


def logged_in(name: str, scopes: Iterable[str]) -> Page:
    """The login is done."""
    allowed = "".join(f"<li>{escape(scope)}</li>" for scope in sorted(scopes))
    return _page(
        200,
        "done",
        "good",
        f"Logged in as {name}",
        "<p>The login is kept. You can go on in the terminal.</p>"
        + (f"<h2>It allows</h2><ul>{allowed}</ul>" if allowed else "<p>It allows nothing but to know who you are.</p>"),
    )


def denied() -> Page:
    """The user said no."""
    return _page(200, "denied", "plain", "The login was denied", "<p>You said no, so nothing was allowed or kept.</p>")


def misplaced() -> Page:
    """A callback that belongs to no login that is waited for."""
    return _page(
        400,
        "refused",
        "bad",
        "Not the login that esipy waits for",
        "<p>It was begun elsewhere, or is over: nothing of it was used.</p>"
        "<p>To log in, open the address that stands in the terminal.</p>",
    )


def failed(reason: str) -> Page:
    """The login came to nothing.

    Args:
        reason: an error's text, for people, without a full stop.
    """
    return _page(
        502,
        "failed",
        "bad",
        "The login came to nothing",
        f"<p>{escape(reason[:1].upper() + reason[1:])}.</p><p>What was there before has not changed.</p>",
    )


def _page(status: int, name: str, tone: str, title: str, content: str) -> Page:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(title)} · esipy</title><style>{_STYLE}</style></head><body><main class={tone}>"
        '<svg viewBox="0 0 48 48" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" '
        f'stroke-linejoin="round" aria-hidden="true"><circle cx="24" cy="24" r="21"/>{_SIGNS[tone]}</svg>'
        f"<h1>{escape(title)}</h1>{content}<footer>You can close this page.</footer></main></body></html>"
    )
    return Page(status, name, html.encode())
