"""New mails of two characters, told as they arrive, against a sandbox of its own; with asyncio, and by a signal.

Run it: ``python examples/mail_notifier.py`` (needs the extra ``sandbox``; takes a few seconds). It keeps what it has
seen in a file: started again, it tells the mails that came while it was away, and none twice. Mails are fresh for half
a minute on ESI, and for one second in this sandbox, where one arrives each second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from esipy import AsyncEsiClient, AsyncEsiSecurity, ops
from esipy.sandbox import RunningSandbox
from esipy.testing import sandbox

ME = {"User-Agent": "example/1.0 (me@example.com)"}
SCOPE = "esi-mail.read_mail.v1"


async def notify(server: RunningSandbox, characters: Sequence[int], store: str) -> None:
    """Tell each character's new mails, until each has had some."""
    without = set(characters)
    enough = asyncio.Event()

    async def tell(call: Any, added: tuple[Any, ...], **_: object) -> None:
        who = call.arguments["character_id"]
        for mail in reversed(added):  # the newest comes first
            print(f"{who} has a mail: {mail.subject}")
            without.discard(who)
        if not without:
            enough.set()

    async with AsyncExitStack() as stack:
        for character_id in characters:
            security = AsyncEsiSecurity(
                server.redirect_uri, server.client_id, server.secret_key, sso_url=server.sso_url, headers=ME
            )
            security.update_token(server.login(character_id, [SCOPE]))
            client = await stack.enter_async_context(AsyncEsiClient(security, base_url=server.url, headers=ME))
            stack.push_async_callback(security.close)
            mails = ops.mail.get_characters_character_id_mail(character_id=character_id)
            client.on_change(mails, store=store).add_receiver(tell)
        await enough.wait()


def main() -> None:
    """Two runs of one program: what came between them is told by the second."""
    with sandbox(max_lifetime_seconds=1, mail_every_seconds=1) as server, TemporaryDirectory() as folder:
        store = f"sqlite:///{Path(folder) / 'mails.sqlite3'}"
        characters = server.sandbox.roster.ids[:2]
        asyncio.run(notify(server, characters, store))
        server.send_mail(characters[0], "While you were away")
        print("away for a moment")
        asyncio.run(notify(server, characters, store))


if __name__ == "__main__":
    main()
