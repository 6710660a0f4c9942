"""Logins in a database of your own, by Django's ORM: a token store in a hundred lines.

Run it: ``python examples/django_tokens.py`` (needs ``django`` and the extra ``sandbox``). It checks the store, with
eight threads at once, and logs a character in. In a project of yours the models go to ``models.py`` of an app, and the
settings are there already.

Each verb has a transaction of its own (``durable=True``), so that what was saved is committed when `save` returns. In a
view with ``ATOMIC_REQUESTS`` Django refuses that, and rightly: when the request fails, the new refresh token would be
rolled back and the old one is spent. Mark such a view ``@transaction.non_atomic_requests``, or give the store a
connection of its own: a second entry in ``DATABASES``, ``DjangoTokens(using="tokens")``.
"""

from __future__ import annotations

import atexit
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import Error, IntegrityError, connections, models, transaction
from django.db.models import Q
from django.db.models.functions import Now

from esipy import EsiClient, ops
from esipy.exceptions import TokenStoreError
from esipy.testing import check_token_store, sandbox
from esipy.tokens import TokenRecord, new_key

SCOPE = "esi-wallet.read_character_wallet.v1"
AT_ONCE = 100

if not settings.configured:
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    options = {
        "timeout": 60,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
    name = sys.argv[1] if len(sys.argv) > 1 else Path(folder.name) / "logins.sqlite3"
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": options}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()


class Login(models.Model):
    """A `TokenRecord`."""

    client_id = models.CharField(max_length=64)
    character_id = models.BigIntegerField()
    name = models.TextField()
    owner = models.TextField()
    scopes = models.TextField()
    state = models.CharField(max_length=32)
    expires_at = models.FloatField()
    refreshed_at = models.FloatField()
    sealed = models.BinaryField()
    version = models.BigIntegerField()

    class Meta:
        app_label = "logins"
        constraints = (models.UniqueConstraint(fields=["client_id", "character_id"], name="one_login"),)


class Lease(models.Model):
    """Who has a name, and until when."""

    name = models.CharField(max_length=200, primary_key=True)
    holder = models.CharField(max_length=200)
    until = models.DateTimeField()

    class Meta:
        app_label = "logins"


class DjangoTokens:
    """An `esipy.tokens.TokenStore`.

    Args:
        using: the connection, one of ``DATABASES``.
    """

    now: Any = Now()
    """The database's clock, which all machines share."""

    def __init__(self, using: str = "default") -> None:
        self.using = using

    def load(self, client_id: str, character_id: int) -> TokenRecord | None:
        with self._connected():
            row = self._logins(client_id=client_id, character_id=character_id).first()
            return None if row is None else _record(row)

    def save(self, client_id: str, character_id: int, record: TokenRecord | None, expected: int | None) -> bool:
        with self._connected(), transaction.atomic(self.using, durable=True):
            there = self._logins(client_id=client_id, character_id=character_id, version=expected or 0)
            if record is None:
                return there.delete()[0] == 1
            values = record._replace(client_id=client_id, character_id=character_id, version=(expected or 0) + 1)
            columns = {**values._asdict(), "scopes": " ".join(record.scopes)}
            if expected is not None:
                return there.update(**columns) == 1
            return self._insert(Login(**columns))

    def records(self, client_id: str | None = None) -> Iterator[TokenRecord]:
        query = self._logins() if client_id is None else self._logins(client_id=client_id)
        page, some = query.order_by("client_id", "character_id"), AT_ONCE
        while some == AT_ONCE:  # nothing is held while the caller works
            with self._connected():
                found = [_record(row) for row in page[:AT_ONCE]]
            yield from found
            some = len(found)
            if found:
                last = found[-1]
                further = Q(client_id=last.client_id, character_id__gt=last.character_id)
                page = query.filter(further | Q(client_id__gt=last.client_id)).order_by("client_id", "character_id")

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        with self._connected(), transaction.atomic(self.using, durable=True):
            leases = Lease.objects.using(self.using).filter(name=name)
            if seconds <= 0:
                return leases.filter(holder=holder, until__gt=self.now).delete()[0] == 1
            until = self.now + timedelta(seconds=seconds)
            free = leases.filter(Q(holder=holder) | Q(until__lte=self.now))
            return free.update(holder=holder, until=until) == 1 or self._insert(
                Lease(name=name, holder=holder, until=until)
            )

    def _logins(self, **wanted: Any) -> models.QuerySet[Login]:
        return Login.objects.using(self.using).filter(**wanted)

    def _insert(self, row: models.Model) -> bool:
        """False: another was quicker."""
        try:
            with transaction.atomic(self.using):
                row.save(using=self.using, force_insert=True)
        except IntegrityError:
            return False
        return True

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Each thread has a connection of its own, which is closed when its time (``CONN_MAX_AGE``) is over."""
        try:
            yield
        except Error as error:  # its own words may show what was to be saved
            raise TokenStoreError(f"the database of tokens fails: {type(error).__name__}; nothing is lost") from None
        finally:
            connections[self.using].close_if_unusable_or_obsolete()


def _record(row: Login) -> TokenRecord:
    return TokenRecord(
        row.client_id, row.character_id, row.name, row.owner, tuple(row.scopes.split()), row.state,
        row.expires_at, row.refreshed_at, bytes(row.sealed), row.version,
    )  # fmt: skip


def make_tables() -> None:
    """What ``manage.py migrate`` does in a project."""
    with connections["default"].schema_editor() as editor:
        editor.create_model(Login)
        editor.create_model(Lease)


def main() -> None:
    """Make the tables, check the store, and let a character's login live in it."""
    make_tables()
    check_token_store(DjangoTokens)
    print("the store keeps what it has to keep")

    with sandbox(set_environment=True) as server, EsiClient(
        client_id=server.client_id, secret_key=server.secret_key, tokens=DjangoTokens(),
        token_key=new_key(), headers={"User-Agent": "example/1.0 (me@example.com)"},
    ) as client:  # fmt: skip
        me = server.sandbox.roster.ids[0]
        client.add_character(server.login(me, [SCOPE])["refresh_token"], me)
        balance = client.as_character(me).fetch(ops.wallet.get_characters_character_id_wallet(character_id=me))
        (character,) = client.characters()
        print(f"{character.name} has {balance:,.2f} ISK, and a login that is {character.state}")


if __name__ == "__main__":
    main()
