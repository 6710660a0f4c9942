"""What each kind of fault does on the wire.

Rules: a fault really happens - the bytes are wrong, missing or late on the connection itself; whoever leaves
meanwhile ends it (the task is cancelled); nothing here blocks the loop for long.
"""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable
from typing import Literal

from esipy.sandbox.answers import HTML, JSON, html_page
from esipy.sandbox.connection import Act, Wire
from esipy.sandbox.exchange import SandboxAnswer
from esipy.sandbox.faults import Fault, Faults, Happening

__all__ = ["act_for", "replacement", "wants_answer"]

_BLOCK = 64 * 1024
_BOMB = 128 * 1024 * 1024

_ON_THE_ANSWER = frozenset({"cut", "cut-chunked", "delay", "gzip", "hang", "slow"})
"""Kinds that spoil the real answer, so the request has to be carried out for it."""


def wants_answer(fault: Fault) -> bool:
    """Whether the request is carried out before the fault happens (``hang`` asks later)."""
    return fault.after or (fault.kind in _ON_THE_ANSWER and fault.kind != "hang")


def replacement(fault: Fault) -> SandboxAnswer | None:
    """The whole, well-formed answer that some kinds send in place of the real one; None for the others."""
    headers: list[tuple[str, str]] = [JSON]
    match fault.kind:
        case "status":
            body = b'{"error": "the sandbox was told to fail"}'
        case "rate-limited":
            body = b'{"error": "rate limited"}'
            if not any(name.lower() == "retry-after" for name, _ in fault.headers):
                headers.append(("Retry-After", f"{fault.seconds:.0f}"))
        case "error-limited":
            body = b'{"error": "error limited"}'
            headers.append(("X-ESI-Error-Limit-Remain", "0"))
            headers.append(("X-ESI-Error-Limit-Reset", f"{fault.seconds:.0f}"))
        case "html":
            headers, body = [HTML], html_page(fault.status)
        case "oddjson":
            body = b'[{"error": {"deep": null}}, "text", 7]'
        case "empty":
            headers, body = [], b""
        case "redirect":
            headers, body = [("Location", fault.location)], b""
        case _:
            return None
    return SandboxAnswer(fault.status, [*headers, *fault.headers], body if fault.body is None else fault.body)


def act_for(
    happening: Happening,
    faults: Faults,
    answer: SandboxAnswer | None,
    late: Callable[[], Awaitable[SandboxAnswer]],
    done: Callable[[int | None], None],
) -> Act:
    """What to do with the connection for a fault that is no whole answer.

    Args:
        happening: of a kind without `replacement`.
        faults: where hanging requests wait.
        answer: the real answer, where `wants_answer` asked for it.
        late: gives the real answer when it is wanted only afterwards.
        done: is told the status that was sent, or None.
    """
    act = _ACTS[happening.fault.kind]

    async def run(wire: Wire) -> None:
        status: int | None = None
        try:
            status = await act(_Scene(happening, faults, answer, late, wire))
            wire.finish()
        finally:
            done(status)

    return run


class _Scene:
    """All that an act needs."""

    __slots__ = ("_answer", "_late", "fault", "faults", "held", "wire")

    def __init__(
        self,
        happening: Happening,
        faults: Faults,
        answer: SandboxAnswer | None,
        late: Callable[[], Awaitable[SandboxAnswer]],
        wire: Wire,
    ) -> None:
        self.fault, self.held = happening
        self.faults = faults
        self._answer = answer
        self._late = late
        self.wire = wire

    async def real(self) -> SandboxAnswer:
        """The real answer, with the fault's headers."""
        answer = self._answer if self._answer is not None else await self._late()
        return SandboxAnswer(answer.status, [*answer.headers, *self.fault.headers], answer.body)


async def _reset(scene: _Scene) -> None:
    scene.wire.reset()


async def _close(scene: _Scene) -> None:
    scene.wire.close()


async def _garbage(scene: _Scene) -> None:
    await scene.wire.write(scene.fault.body or b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    scene.wire.close()


async def _hang(scene: _Scene) -> int:
    assert scene.held is not None
    await scene.faults.hold(scene.held)
    answer = await scene.real()
    await scene.wire.answer(answer)
    return answer.status


async def _delay(scene: _Scene) -> int:
    await asyncio.sleep(scene.fault.seconds)
    answer = await scene.real()
    await scene.wire.answer(answer)
    return answer.status


async def _slow(scene: _Scene) -> int:
    """The body comes in 20 pieces, evenly spread over ``seconds``."""
    answer, wire = await scene.real(), scene.wire
    await wire.write(wire.head(answer.status, answer.headers, content_length=str(len(answer.body))))
    body = b"" if wire.incoming.method == "HEAD" else answer.body
    piece = max(1, -(-len(body) // 20))
    for start in range(0, len(body), piece):
        await asyncio.sleep(scene.fault.seconds / 20)
        await wire.write(body[start : start + piece])
    return answer.status


async def _cut(scene: _Scene) -> int:
    return await _cut_as(scene, "content-length")


async def _cut_chunked(scene: _Scene) -> int:
    return await _cut_as(scene, "chunked")


async def _cut_as(scene: _Scene, framing: Literal["content-length", "chunked"]) -> int:
    answer, wire = await scene.real(), scene.wire
    size = len(answer.body) // 2 if scene.fault.size is None else scene.fault.size
    part = answer.body[:size]
    if framing == "chunked":
        head = wire.head(answer.status, answer.headers, transfer_encoding="chunked")
        part = f"{len(part):x}\r\n".encode() + part + b"\r\n" if part else b""
    else:
        # At least one byte more than is sent, also where the real body is empty.
        promised = max(len(answer.body), len(part) + 1)
        head = wire.head(answer.status, answer.headers, content_length=str(promised))
    await wire.write(head + part)
    wire.close()
    return answer.status


async def _gzip(scene: _Scene) -> int:
    answer = await scene.real()
    headers = [*answer.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
    await scene.wire.answer(SandboxAnswer(answer.status, headers, gzip.compress(answer.body, 1, mtime=0)))
    return answer.status


async def _oversize(scene: _Scene) -> int:
    """A JSON array that goes on and on: with its length said when ``size`` is given, else in chunks without end."""
    fault, wire = scene.fault, scene.wire
    headers = [JSON, *fault.headers]
    block = b"[" + b" " * (_BLOCK - 1)
    if fault.size is None:
        await wire.write(wire.head(fault.status, headers, transfer_encoding="chunked"))
        while True:
            await wire.write(f"{_BLOCK:x}\r\n".encode() + block + b"\r\n")
            block = b" " * _BLOCK
    await wire.write(wire.head(fault.status, headers, content_length=str(fault.size)))
    left = fault.size
    while left:
        await wire.write(block[:left])
        left -= min(left, _BLOCK)
        block = b" " * _BLOCK
    return fault.status


async def _bomb(scene: _Scene) -> int:
    """A small gzip body that unpacks to ``size`` spaces."""
    fault = scene.fault
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed: list[bytes] = []
    block = b" " * (1024 * 1024)
    left = _BOMB if fault.size is None else fault.size
    while left:
        packed.append(packer.compress(block[:left]))
        left -= min(left, len(block))
        await asyncio.sleep(0)
    packed.append(packer.flush())
    headers = [JSON, ("Content-Encoding", "gzip"), *fault.headers]
    await scene.wire.answer(SandboxAnswer(fault.status, headers, b"".join(packed)))
    return fault.status


_ACTS: dict[str, Callable[[_Scene], Awaitable[int | None]]] = {
    "bomb": _bomb,
    "close": _close,
    "cut": _cut,
    "cut-chunked": _cut_chunked,
    "delay": _delay,
    "garbage": _garbage,
    "gzip": _gzip,
    "hang": _hang,
    "oversize": _oversize,
    "reset": _reset,
    "slow": _slow,
}
