"""A keyring for tests, in the place of this machine's."""

from __future__ import annotations

from keyring.backend import KeyringBackend


class InMemory(KeyringBackend):  # type: ignore[no-untyped-call]
    """A keyring that works; many may ask it at once."""

    priority = 1.0  # type: ignore[assignment]

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password
