"""``esipy demo``: the library's whole main job against a sandbox of its own, in under 20 seconds.

Nothing here is staged: a second process plays ESI and the SSO over HTTP, the login is the real code flow, the token
really expires, and every line below the table's title was told by API_CALL_STATS.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from esipy.client import EsiClient
    from esipy.sandbox import ControlClient

__all__ = ["demo"]

THE_FORGE = 10000002
TOKEN_SECONDS = 2
SCOPE = "esi-wallet.read_character_wallet.v1"
USER_AGENT = {"User-Agent": "esipy-demo/2.0 (demo@example.com)"}


def demo() -> None:
    """Log in, call, refresh an expired token, hear it as a signal, fetch The Forge: all against a local sandbox."""
    from rich.console import Console

    from esipy.client import EsiClient
    from esipy.events import AFTER_TOKEN_REFRESH, API_CALL_STATS
    from esipy.sandbox import ControlClient
    from esipy.security import EsiSecurity

    console = Console(highlight=False)
    statistics = Statistics()
    with (
        sandbox_process() as sandbox,
        API_CALL_STATS.connected_to(statistics),
        AFTER_TOKEN_REFRESH.connected_to(after_token_refresh_hook),
    ):
        url = sandbox["url"]
        console.rule("a sandbox plays ESI and the SSO")
        console.print(f"listening on {url}")
        security = EsiSecurity(
            redirect_uri=sandbox["redirect_uri"],
            client_id=sandbox["client_id"],
            secret_key=sandbox["secret_key"],
            headers=USER_AGENT,
            sso_url=url,
        )
        with EsiClient(security=security, headers=USER_AGENT, base_url=url) as client:
            log_in(console, security, ControlClient(url))
            call_with_expired_token(console, security, client)
            fetch_the_forge(console, client)
    console.print(statistics.table())


@contextmanager
def sandbox_process() -> Generator[dict[str, str]]:
    """A sandbox in a process of its own: where it is and its application.

    It is ended when the block is left, and by its stdin when this process is killed within.
    """
    options = ("--json", "--with-parent", "--token-lifetime", str(TOKEN_SECONDS))
    command = [sys.executable, "-m", "esipy", "sandbox", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603 (our own command)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("the sandbox did not start; why stands above")
            yield json.loads(line)
        finally:
            process.terminate()


def after_token_refresh_hook(access_token: str, refresh_token: str | None, expires_in: int, **kwargs: Any) -> None:  # noqa: ARG001
    """Version 1's hook, as its documentation shows it; tokens are long, so their beginnings are printed."""
    print(f"  We got new token: {access_token[:24]}...")  # noqa: T201
    print(f"  refresh token used: {(refresh_token or '')[:8]}...")  # noqa: T201
    print(f"  Expires in {expires_in}")  # noqa: T201


def log_in(console: Console, security: Any, control: ControlClient) -> None:
    """The code flow: the URL for the user, the login page approved over HTTP, the code exchanged for tokens."""
    import secrets
    from urllib.parse import parse_qs, urlsplit

    console.rule("log in")
    state = secrets.token_urlsafe()
    url = security.get_auth_uri(state=state, scopes=[SCOPE])
    console.print(f"{f'a user would open {url}'[: console.width - 3]}...")
    character = control.characters(limit=1)[0]
    answered = parse_qs(urlsplit(control.approve(url, character["character_id"])).query)
    if answered["state"] != [state]:
        raise RuntimeError("the login page answered with another state")
    security.auth(answered["code"][0])
    claims = security.verify()
    console.print(f"logged in as [bold]{claims['name']}[/bold] ({security.character_id})")


def call_with_expired_token(console: Console, security: Any, client: EsiClient) -> None:
    """Wait until the token has expired, then just call: it is refreshed, and the signal tells."""
    from esipy.app import EsiApp

    console.rule("the token expires, and a call refreshes it")
    with console.status(f"waiting {TOKEN_SECONDS} s for the token to expire"):
        while not security.is_token_expired():
            time.sleep(0.05)
    app = EsiApp().get_latest_swagger
    op = app.op["get_characters_character_id_wallet"](character_id=security.character_id)
    wallet = client.request(op, raise_on_error=True)
    console.print(f"wallet: [bold]{wallet.data:,.2f} ISK[/bold] (status {wallet.status}, from {wallet.source})")


def fetch_the_forge(console: Console, client: EsiClient) -> None:
    """All pages of The Forge's orders, under a progress bar that API_CALL_STATS moves."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from esipy import ops
    from esipy.events import API_CALL_STATS

    console.rule("The Forge")
    first = ops.market.get_markets_region_id_orders(region_id=THE_FORGE, order_type="all", page=1)
    pages = client.request(first, raise_on_error=True).pages or 1
    began = time.perf_counter()
    columns = (TextColumn("pages"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("pages", total=pages)

        def one_more(**_: object) -> None:
            progress.advance(bar)

        with API_CALL_STATS.connected_to(one_more):
            answers = client.multi_request([first.replace(page=page) for page in range(1, pages + 1)])
            progress.update(bar, completed=pages)  # page 1 came from the cache: no exchange told of it
    seconds = time.perf_counter() - began
    orders = [order for _, answer in answers for order in answer.data]
    selling = [order for order in orders if not order.is_buy_order]
    distinct = len({order.order_id for order in orders})
    newest = max(order.issued for order in orders)
    console.print(f"[bold]{len(orders):,}[/bold] typed orders ({distinct:,} ids) in {seconds:.1f} s")
    console.print(f"{len(selling):,} of them sell; the newest is of {newest:%Y-%m-%d %H:%M} UTC")


def _milliseconds(seconds: float) -> str:
    """In five characters, also where a machine is slow: a wider column would break the names of operations."""
    return f"{seconds * 1000:.1f}" if seconds < 0.9999 else f"{seconds * 1000:.0f}"


class Statistics:
    """A receiver of API_CALL_STATS: what each exchange told, by operation and status."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, int], list[float]] = {}
        self._lock = threading.Lock()  # multi_request's threads send it too

    def __call__(self, status_code: int, elapsed_time: float, operation_id: str, **_: Any) -> None:
        with self._lock:
            self._seconds.setdefault((operation_id, status_code), []).append(elapsed_time)

    def table(self) -> Any:
        """Calls, median and 95th percentile in milliseconds; without lines, so that it fits into 60 columns."""
        from rich.table import Table

        title = "What API_CALL_STATS told (times in ms)"
        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        table.add_column("operation", overflow="fold")
        table.add_column("status")
        for name in ("calls", "p50", "p95"):
            table.add_column(name, justify="right")
        for (operation, status), seconds in sorted(self._seconds.items()):
            ordered = sorted(seconds)
            half, most = (ordered[min(int(len(ordered) * part), len(ordered) - 1)] for part in (0.5, 0.95))
            table.add_row(operation, str(status), str(len(ordered)), _milliseconds(half), _milliseconds(most))
        return table
