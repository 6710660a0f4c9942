"""What a store of 100,000 characters' tokens costs: time of a lookup, and memory while all are listed.

`measure` gives seconds and bytes by what was done: the median of several runs, each with its least and greatest. Run
it with ``python -m benchmarks.tokens``.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.measuring import Spread, runs_of
from esipy.sso.sealing import KEY_BYTES, Sealer
from esipy.stores.sqlite_tokens import INSERT, SqliteTokens
from esipy.stores.tokens import TokenRecord

__all__ = ["CHARACTERS", "measure"]

CHARACTERS = 100_000
LOOKUPS = 10_000

CLIENT_ID = "0123456789abcdef0123456789abcdef"
FIRST_ID = 90_000_000
SCOPES = ("esi-assets.read_assets.v1", "esi-skills.read_skills.v1", "esi-wallet.read_character_wallet.v1")
TOKENS = b"x" * 1800
"""As long as an access token of three scopes with its refresh token."""


def _fill(path: Path, sealer: Sealer, characters: int) -> None:
    """All in one transaction: saved one by one, each would wait for the disk."""
    with closing(sqlite3.connect(path)) as file, file:
        file.executemany(
            INSERT,
            (
                (
                    CLIENT_ID, FIRST_ID + number, f"Pilot {number}", "aGFzaCBvZiBhbiBvd25lcg=", " ".join(SCOPES), "ok",
                    1.7e9, 1.7e9, sealer.seal(TOKENS, (CLIENT_ID, FIRST_ID + number)), 1,
                )
                for number in range(characters)
            ),
        )  # fmt: skip


def _seconds_each(look: Callable[[int], object], chosen: list[int]) -> float:
    began = time.perf_counter()
    for character_id in chosen:
        look(character_id)
    return (time.perf_counter() - began) / len(chosen)


def measure(characters: int = CHARACTERS, lookups: int = LOOKUPS) -> dict[str, Spread]:
    """Everything, by name."""
    sealer = Sealer([bytes(KEY_BYTES)])
    with tempfile.TemporaryDirectory() as folder, closing(SqliteTokens(Path(folder) / "tokens.sqlite3")) as store:
        assert store.load(CLIENT_ID, FIRST_ID) is None  # the file is there
        _fill(Path(folder) / "tokens.sqlite3", sealer, characters)
        chosen = [FIRST_ID + number for number in random.Random(1).choices(range(characters), k=lookups)]

        def load(character_id: int) -> TokenRecord:
            found = store.load(CLIENT_ID, character_id)
            assert found is not None
            return found

        def load_and_open(character_id: int) -> bytes:
            return sealer.open(load(character_id).sealed, (CLIENT_ID, character_id))

        lookup = runs_of(lambda: _seconds_each(load, chosen))
        opened = runs_of(lambda: _seconds_each(load_and_open, chosen))
        tracemalloc.start()
        listed = sum(1 for _ in store.records(CLIENT_ID))
        peak = float(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert listed == characters
    return {"lookup": lookup, "opened": opened, "listing bytes": Spread.of([peak])}


def main() -> None:
    for name, (middle, least, greatest) in measure().items():
        print(f"{name:<14} {middle:.3g} ({least:.3g} - {greatest:.3g})")


if __name__ == "__main__":
    main()
