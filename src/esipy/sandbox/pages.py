"""The HTML that a browser sees at the sandbox's SSO: one page to log in, one to say what is wrong.

Rules: nothing is loaded from anywhere; every text is escaped; the form posts to the address it came from, so the
request it answers stands in the query and is checked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from esipy.sandbox.characters import Character
from esipy.sandbox.exchange import SandboxAnswer

__all__ = ["error_page", "login_page"]

_STYLE = """
:root { color-scheme: dark; --ink: #e6edf3; --dim: #8b98a5; --line: #2b3440; --card: #141a21; --gold: #d9a441; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 2rem 1rem; color: var(--ink);
  background: radial-gradient(60rem 40rem at 70% -10%, #1d2b3a, #0b0f14 70%);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { width: min(34rem, 100%); background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  padding: 2rem; box-shadow: 0 20px 60px #0008; }
.tag { display: inline-block; font-size: .75rem; letter-spacing: .08em; text-transform: uppercase; color: #0b0f14;
  background: var(--gold); border-radius: 99px; padding: .1rem .7rem; }
h1 { font-size: 1.35rem; margin: .8rem 0 .2rem; }
h2 { font-size: .8rem; letter-spacing: .08em; text-transform: uppercase; color: var(--dim); margin: 1.6rem 0 .6rem; }
p { margin: .3rem 0; color: var(--dim); }
code { color: var(--ink); overflow-wrap: anywhere; }
.people { max-height: 19rem; overflow: auto; border: 1px solid var(--line); border-radius: 10px; }
.people label { display: flex; align-items: center; gap: .8rem; padding: .55rem .9rem; cursor: pointer; }
.people label + label { border-top: 1px solid var(--line); }
.people label:hover, .people label:has(:checked) { background: #1b232d; }
.people small { margin-left: auto; color: var(--dim); font-variant-numeric: tabular-nums; }
input[type=radio] { accent-color: var(--gold); }
input[type=number] { width: 100%; margin-top: .6rem; padding: .55rem .9rem; color: inherit; font: inherit;
  background: none; border: 1px solid var(--line); border-radius: 10px; }
ul { margin: 0; padding: 0; list-style: none; }
li { padding: .15rem 0; font: 14px/1.5 ui-monospace, Consolas, monospace; overflow-wrap: anywhere; }
.choice { display: flex; gap: .8rem; margin-top: 1.8rem; }
button { flex: 1; padding: .7rem; border-radius: 10px; border: 1px solid var(--line); cursor: pointer;
  font: inherit; font-weight: 600; color: inherit; background: none; }
button.yes { background: var(--gold); border-color: var(--gold); color: #0b0f14; }
button:focus-visible, input:focus-visible { outline: 2px solid var(--gold); outline-offset: 2px; }
"""

_HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
]


def login_page(
    client_id: str, scopes: Sequence[str], characters: Iterable[Character], total: int, action: str
) -> SandboxAnswer:
    """The page on which a character is picked and the login approved or denied.

    Args:
        client_id: the application that asks.
        scopes: what it asks for.
        characters: those that are listed; the first one is picked beforehand.
        total: how many there are; when more than listed, any may be given by its id.
        action: where the form posts to.
    """
    listed = list(characters)
    people = "".join(
        f'<label><input type="radio" name="character_id" value="{person.character_id}"{" checked" if not i else ""}>'
        f"<span>{escape(person.name)}</span><small>{person.character_id}</small></label>"
        for i, person in enumerate(listed)
    )
    other = (
        f'<input type="number" name="other_id" aria-label="Another character\'s id" '
        f'placeholder="or the id of any of the {total} characters">'
        if total > len(listed)
        else ""
    )
    wanted = "".join(f"<li>{escape(scope)}</li>" for scope in scopes)
    asked = f"<ul>{wanted}</ul>" if wanted else "<p>Nothing but to know who you are.</p>"
    return _page(
        200,
        "Log in",
        f"<h1>Log in to the sandbox</h1><p>The application <code>{escape(client_id)}</code> asks who you are.</p>"
        f'<form method="post" action="{escape(action)}">'
        f'<h2>Character</h2><div class="people">{people}</div>{other}<h2>It may then</h2>{asked}'
        '<div class="choice"><button class="yes" name="decision" value="approve">Approve</button>'
        '<button name="decision" value="deny">Deny</button></div></form>',
    )


def error_page(reason: str) -> SandboxAnswer:
    """What is wrong with a login that cannot be sent back to the application."""
    return _page(
        400, "Login refused", f"<h1>This login cannot go on</h1><p>{escape(reason)}</p><p>Nothing was allowed.</p>"
    )


def _page(status: int, title: str, content: str) -> SandboxAnswer:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · EsiPy sandbox</title><style>{_STYLE}</style></head>"
        f'<body><main><span class="tag">Sandbox</span>{content}</main></body></html>'
    )
    return SandboxAnswer(status, list(_HEADERS), html.encode())
