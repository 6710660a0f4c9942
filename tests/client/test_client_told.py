"""Which exchanges API_CALL_STATS tells: those with the API, each with its operation's id; none with the SSO."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from esipy import App, ops
from esipy.events import API_CALL_STATS
from esipy.sandbox import RunningSandbox
from esipy.testing import SignalRecorder
from tests.client.colours import Connect


def test_what_the_sso_is_asked_is_not_told(connect: Connect, box: RunningSandbox) -> None:
    """A call that fetches keys and refreshes the token tells one exchange: its own."""
    client = connect(login=True)
    client.security.token_expiry = 0
    character_id = client.security.character_id
    with SignalRecorder(API_CALL_STATS) as heard:
        client.request(ops.wallet.get_characters_character_id_wallet(character_id=character_id))
    assert "/v2/oauth/token" in [entry.path for entry in box.received()]
    assert ["GetCharactersCharacterIdWallet"] == [told["operation_id"] for told in heard.payloads]


def test_operations_of_other_documents_have_ids_too(connect: Connect, box: RunningSandbox, tmp_path: Path) -> None:
    """Their own and a mark of the document; one is made up where the document has none."""
    content = {"application/json": {"schema": dict[str, str]()}}
    answer: dict[str, Any] = {"responses": {"200": {"description": "", "content": content}}}
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Other", "version": "1"},
        "servers": [{"url": box.url}],
        "paths": {"/status": {"get": {"operationId": "how_is_it", **answer}}, "/alliances": {"get": answer}},
    }
    path = tmp_path / "other.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    client, app = connect(), App.create(str(path))
    with SignalRecorder(API_CALL_STATS) as heard:
        for name in app.op:
            client.request(app.op[name]())
    named, made_up = (told["operation_id"].split("@") for told in heard.payloads)
    assert "how_is_it" == named[0]
    assert made_up[0]
    assert named[1] == made_up[1] != ""
