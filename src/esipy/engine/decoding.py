"""The end of a call: the answer's bytes become its data, whether or not they fit its type (T48)."""

from __future__ import annotations

from typing import Any

import msgspec

from esipy.core.answer import Answer
from esipy.core.decode import Decoder, parse_json
from esipy.engine.exchange import Exchange
from esipy.operation import Operation
from esipy.response import Response

__all__ = ["decoding"]

_DECODERS: dict[str, Decoder[Any]] = {}


def decoder_for(operation: Operation[Any]) -> Decoder[Any]:
    """The one decoder of an operation; making it twice in two threads does no harm."""
    decoder = _DECODERS.get(operation.id)
    if decoder is None:
        decoder = _DECODERS[operation.id] = Decoder(operation.result_type())
    return decoder


def decoding(exchange: Exchange, answer: Answer, *, raw_body_only: bool) -> tuple[Response[Any], tuple[str, ...]]:
    """The answer as the caller gets it, and the places where it does not fit its type; of one that was kept they were
    told when it came.
    """
    call, operation, status, body = exchange.call, exchange.operation, answer.status, answer.body
    if raw_body_only or not body or status == 206 or not 200 <= status < 300:
        return _undecoded(exchange, answer, raw_body_only=raw_body_only), ()
    decoder = decoder_for(operation)
    places: tuple[str, ...] = ()
    try:
        if answer.source != "network" or answer.shared:
            data = decoder.decode_kept(body) if call.typed else decoder.data_kept(body)
        else:
            data, places = decoder.decode(body) if call.typed else decoder.data(body)
    except msgspec.DecodeError:
        return Response(call, answer, None, exchange.url, undecodable=True), ()
    return Response(call, answer, data if call.typed else operation.shaped(data), exchange.url), places


def _undecoded(exchange: Exchange, answer: Answer, *, raw_body_only: bool) -> Response[Any]:
    """An answer whose body is no data: it has none, nobody wants them, it is an error's, or only a part."""
    call, operation = exchange.call, exchange.operation
    data: Any = None
    if not raw_body_only and (answer.status == 206 or (not answer.body and _needs_body(answer, operation))):
        return Response(call, answer, None, exchange.url, undecodable=True)  # a part is no whole, nothing no list (T34)
    if raw_body_only or not answer.body:
        if answer.status == 204 and call.typed and decoder_for(operation).is_list:
            data = []  # a list operation's "no content" is a list without rows (T18)
        elif answer.status >= 400 and not raw_body_only:
            data = error_body(f"status {answer.status}, without a word".encode())
    else:
        data = error_body(answer.body)
    return Response(call, answer, data, exchange.url)


def _needs_body(answer: Answer, operation: Operation[Any]) -> bool:
    return 200 <= answer.status < 300 and answer.status != 204 and operation.result is not None


def error_body(body: bytes) -> Any:
    """An error's body as data: what its JSON says, or ``{"error": text}`` for HTML and anything odd (T33)."""
    from esipy.core.objects import DataObject, as_data

    try:
        data = as_data(parse_json(body), None)
    except msgspec.DecodeError:
        data = None
    if isinstance(data, DataObject):
        return data
    return as_data({"error": body.decode("utf-8", "replace") if data is None else str(data)}, None)
