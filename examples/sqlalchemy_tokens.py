"""Logins in a database of your own, by SQLAlchemy: a token store in a hundred lines.

Run it: ``python examples/sqlalchemy_tokens.py`` (needs ``sqlalchemy`` and the extra ``sandbox``). It checks the store,
with eight threads at once, and logs a character in; with your own database: ``... postgresql+psycopg://me@host/name``.

Each verb has a transaction of its own, so that what was saved is committed when `save` returns: never hand it the
session of a web request, which may be rolled back when the old refresh token is spent already.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Delete,
    Double,
    Engine,
    LargeBinary,
    String,
    Text,
    Update,
    create_engine,
    delete,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from esipy import EsiClient, ops
from esipy.exceptions import TokenStoreError
from esipy.testing import check_token_store, sandbox
from esipy.tokens import TokenRecord, TokenState, new_key

SCOPE = "esi-wallet.read_character_wallet.v1"
AT_ONCE = 100
NOW = {
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
    "mysql": "SELECT unix_timestamp(sysdate(6))",
    "mariadb": "SELECT unix_timestamp(sysdate(6))",
}
"""The database's clock, which all machines share."""


class Base(DeclarativeBase):
    """The tables."""


class Login(Base):
    """A `TokenRecord`."""

    __tablename__ = "esi_logins"
    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    character_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)
    scopes: Mapped[str] = mapped_column(Text)
    state: Mapped[TokenState] = mapped_column(String(32))
    expires_at: Mapped[float] = mapped_column(Double)
    refreshed_at: Mapped[float] = mapped_column(Double)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(BigInteger)


class Lease(Base):
    """Who has a name, and until when."""

    __tablename__ = "esi_leases"
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    holder: Mapped[str] = mapped_column(String(200))
    until: Mapped[float] = mapped_column(Double)


class SqlAlchemyTokens:
    """An `esipy.tokens.TokenStore`. The engine wants ``hide_parameters=True``, so that errors show none."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def load(self, client_id: str, character_id: int) -> TokenRecord | None:
        with self._transaction() as session:
            row = session.get(Login, (client_id, character_id))
            return None if row is None else _record(row)

    def save(self, client_id: str, character_id: int, record: TokenRecord | None, expected: int | None) -> bool:
        whose = (Login.client_id == client_id, Login.character_id == character_id)
        with self._transaction() as session:
            if record is None:
                return _done(session, delete(Login).where(*whose, Login.version == expected))
            values = record._replace(client_id=client_id, character_id=character_id, version=(expected or 0) + 1)
            columns = {**values._asdict(), "scopes": " ".join(record.scopes)}
            if expected is not None:
                return _done(session, update(Login).where(*whose, Login.version == expected).values(**columns))
            return _insert(session, Login(**columns))

    def records(self, client_id: str | None = None) -> Iterator[TokenRecord]:
        query = select(Login).order_by(Login.client_id, Login.character_id).limit(AT_ONCE)
        if client_id is not None:
            query = query.where(Login.client_id == client_id)
        some, page = AT_ONCE, query
        while some == AT_ONCE:  # no transaction is open while the caller works
            with self._transaction() as session:
                found = [_record(row) for row in session.scalars(page)]
            yield from found
            some = len(found)
            if found:
                last = found[-1]
                further = (Login.client_id == last.client_id) & (Login.character_id > last.character_id)
                page = query.where(further | (Login.client_id > last.client_id))

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        with self._transaction() as session:
            now = self.now(session)
            if seconds <= 0:
                own = (Lease.name == name, Lease.holder == holder, Lease.until > now)
                return _done(session, delete(Lease).where(*own))
            free = (Lease.name == name, (Lease.holder == holder) | (Lease.until <= now))
            taken = update(Lease).where(*free).values(holder=holder, until=now + seconds)
            return _done(session, taken) or _insert(session, Lease(name=name, holder=holder, until=now + seconds))

    def now(self, session: Session) -> float:
        """Seconds by the database's clock."""
        return float(session.execute(text(NOW[self.engine.dialect.name])).scalar_one())

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        try:
            with Session(self.engine) as session, session.begin():
                yield session
        except SQLAlchemyError as error:  # its own words may show what was to be saved
            raise TokenStoreError(f"the database of tokens fails: {type(error).__name__}; nothing is lost") from None


def _done(session: Session, statement: Update | Delete) -> bool:
    """Whether there was such a row."""
    return session.connection().execute(statement).rowcount == 1


def _insert(session: Session, row: Login | Lease) -> bool:
    """False: another was quicker."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def _record(row: Login) -> TokenRecord:
    return TokenRecord(
        row.client_id, row.character_id, row.name, row.owner, tuple(row.scopes.split()), row.state,
        row.expires_at, row.refreshed_at, row.sealed, row.version,
    )  # fmt: skip


def main(url: str) -> None:
    """Make the tables, check the store, and let a character's login live in it."""
    is_sqlite = url.startswith("sqlite")
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 60} if is_sqlite else {})
    if is_sqlite:  # so that who reads and who writes do not wait for each other
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    Base.metadata.create_all(engine)
    check_token_store(lambda: SqlAlchemyTokens(engine))
    print("the store keeps what it has to keep")

    with sandbox(set_environment=True) as server, EsiClient(
        client_id=server.client_id, secret_key=server.secret_key, tokens=SqlAlchemyTokens(engine),
        token_key=new_key(), headers={"User-Agent": "example/1.0 (me@example.com)"},
    ) as client:  # fmt: skip
        me = server.sandbox.roster.ids[0]
        client.add_character(server.login(me, [SCOPE])["refresh_token"], me)
        balance = client.as_character(me).fetch(ops.wallet.get_characters_character_id_wallet(character_id=me))
        (character,) = client.characters()
        print(f"{character.name} has {balance:,.2f} ISK, and a login that is {character.state}")
    engine.dispose()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{Path(folder) / 'logins.sqlite3'}")
