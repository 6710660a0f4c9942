"""What the benchmarks compute and write, without any measuring."""

from __future__ import annotations

import json

import pytest

from benchmarks import bodies, cores
from benchmarks.measuring import Round, Spread, ratios
from benchmarks.report import LATEST, Kind, Result, as_json, as_markdown, as_table, from_json
from benchmarks.swagger2 import document
from esipy import ops
from esipy.core.decode import Decoder

ABOUT = {
    "machine": {
        "cpu": "a cpu",
        "cores": 2,
        "pinned": True,
        "system": "Linux 6",
        "python": "CPython 3",
        "server": "nginx",
    },
    "quick": False,
}
LINE = Result("blocking", "a request", "bare pycurl", "faster", 0.8)


@pytest.mark.parametrize(
    ("kind", "value", "met"),
    [
        ("faster", 0.8, True),
        ("faster", 0.79, False),
        ("longer", 1.5, False),
        ("longer", 0.8, True),
        ("seconds", 0.9, False),
        ("bytes", 0.1, True),
    ],
)
def test_a_target_is_a_floor_for_faster_and_a_ceiling_for_all_else(kind: Kind, value: float, met: bool) -> None:
    """At least so many times faster; at most so much longer, so many seconds, so many bytes."""
    assert met is LINE._replace(kind=kind, value=value).met


def test_without_target_or_number_nothing_is_met_or_missed() -> None:
    """A line that is only shown, and one that was not measured, have no verdict."""
    assert LINE._replace(target=None, value=1.0).met is None
    assert LINE.met is None


def test_ratios_are_taken_within_a_round() -> None:
    """A round in which the machine was slow counts by its ratio, not by its seconds."""
    slow_first = [Round(10.0, 0.0), Round(1.0, 0.0), Round(3.0, 0.0)]
    other = [Round(5.0, 0.0), Round(0.5, 0.0), Round(1.0, 0.0)]
    assert Spread(2.0, 2.0, 3.0) == ratios(slow_first, other)


def test_a_report_survives_its_json() -> None:
    """What is written is what is read, rounded to four digits."""
    line = LINE.measured(Spread(0.81234, 0.7, 0.9), 1.5e-4, 1.2e-4)
    assert ([line._replace(value=0.8123)], ABOUT) == from_json(as_json([line], ABOUT))


def test_the_tables_say_met_missed_and_not_measured() -> None:
    """Each verdict has its word, in the terminal and in Markdown."""
    lines = [
        LINE.measured(Spread(0.81, 0.7, 0.9), 1.5e-4, 1.2e-4),
        LINE.measured(Spread(0.5, 0.4, 0.6), 2.4e-4, 1.2e-4),
        LINE._replace(note="it does not run here"),
    ]
    table = as_table(lines, ABOUT)
    assert ["yes", "MISSED", "-"] == [row.split()[-1] for row in table.splitlines()[-3:]]
    assert "it does not run here" in table
    markdown = as_markdown(lines, ABOUT).splitlines()
    assert "| a request | bare pycurl | 150 us | 120 us | 0.81 x | >= 0.8 x | yes |" == markdown[2]


def test_the_committed_result_names_no_place_of_its_machine() -> None:
    """Only what a reader needs: processor, system, versions."""
    text = LATEST.read_text()
    assert {"cpu", "cores", "pinned", "system", "python", "server"} == json.loads(text)["machine"].keys()
    assert "/home" not in text
    assert "/tmp" not in text
    assert "127.0.0.1" not in text


def test_the_swagger_document_has_every_operation() -> None:
    """Version 1 finds all operations under their old ids."""
    paths = document("127.0.0.1:1")["paths"]
    found = {written["operationId"] for methods in paths.values() for written in methods.values()}
    assert set(ops.names()) == found


@pytest.mark.parametrize(
    ("name", "body"),
    [("get_characters_detail", bodies.CHARACTER.encode()), ("get_markets_region_id_orders", bodies.order_page(1))],
)
def test_the_bodies_fit_the_types_of_the_catalogue(name: str, body: bytes) -> None:
    """What the server answers is what ESI could have answered, field by field."""
    decoder: Decoder[object] = Decoder(ops.operation(name).result_type())
    data, places = decoder.decode(body)
    assert () == places
    assert data


def test_pages_are_whole_and_the_same_each_time() -> None:
    """A thousand orders, of which no id is on another page."""
    first, second = json.loads(bodies.order_page(1)), json.loads(bodies.order_page(2))
    assert bodies.ORDERS_A_PAGE == len(first) == len(second)
    assert not {order["order_id"] for order in first} & {order["order_id"] for order in second}
    assert bodies.order_page(1) == bodies.order_page(1)


def test_the_two_sides_never_share_a_core() -> None:
    """The server and the client are apart, or neither is pinned."""
    client, server = cores.split()
    assert (client is None and server is None) or client != server
