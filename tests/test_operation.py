"""Operations and calls as values: building, refusing (T50, T51), comparing, pickling, never changing."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy import ops
from esipy.exceptions import InvalidCallError
from esipy.operation import Call, Operation, Parameter, RateGroup
from esipy.ops.types.mail import PostCharactersCharacterIdMailBody, PostCharactersCharacterIdMailBodyRecipient
from esipy.settings import LANGUAGES

orders = ops.market.get_markets_region_id_orders
MAIL = {"recipients": [{"recipient_id": 1, "recipient_type": "character"}], "subject": "Hi", "body": "There"}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text not in (".", ".."))
killmail = ops.killmails.get_killmails_killmail_id_killmail_hash


def test_a_call_holds_what_is_sent() -> None:
    """Path, query in the document's order, arguments; a default that must be sent is sent."""
    call = orders(region_id=10000002, page=2)
    assert call.path == "/markets/10000002/orders"
    assert call.query == (("order_type", "all"), ("page", "2"))
    assert call.target == "/markets/10000002/orders?order_type=all&page=2"
    assert call.arguments == {"region_id": 10000002, "order_type": "all", "page": 2}
    assert (call.body, call.language, call.typed) == (None, None, True)
    assert call.operation is ops.operation("get_markets_region_id_orders")
    assert repr(call) == "get_markets_region_id_orders(region_id=10000002, order_type='all', page=2)"
    assert repr(ops.status.get_status().in_language("de")) == "get_status().in_language('de')"


def test_a_path_without_parameters_is_its_own_target() -> None:
    """No question mark without a query."""
    assert ops.status.get_status().target == "/status"


def test_an_array_in_a_query_repeats_its_name() -> None:
    """As ESI reads it; booleans are words."""
    call = ops.search.get_characters_character_id_search(
        character_id=1, categories=["agent", "station"], search="a b", strict=True
    )
    assert call.target == "/characters/1/search?categories=agent&categories=station&search=a%20b&strict=true"


def test_a_body_is_json() -> None:
    """Arrays and objects, from plain data or from the Struct."""
    assert ops.universe.post_universe_names(body=[95465499, 30000142]).body == b"[95465499,30000142]"
    plain = ops.mail.post_characters_character_id_mail(character_id=1, body=MAIL)
    assert plain.body is not None
    assert json.loads(plain.body) == MAIL
    recipient = PostCharactersCharacterIdMailBodyRecipient(recipient_id=1, recipient_type="character")
    struct = PostCharactersCharacterIdMailBody(recipients=[recipient], subject="Hi", body="There")
    assert ops.mail.post_characters_character_id_mail(character_id=1, body=struct) == plain
    assert ops.mail.post_characters_character_id_mail(character_id=1, body={**MAIL, "approved_cost": 0}) == plain


def test_what_esi_assumes_anyway_is_not_sent() -> None:
    """An optional parameter at its default, None or an empty optional array: the call without it."""
    bare = ops.corporation_projects.get_corporations_projects_listing(corporation_id=1)
    assert bare.target == "/corporations/1/projects"
    same = ops.corporation_projects.get_corporations_projects_listing(corporation_id=1, limit=10, state="Active")
    assert same == bare
    mail = ops.mail.get_characters_character_id_mail
    assert mail(character_id=1, labels=[]) == mail(character_id=1, labels=None) == mail(character_id=1)


def test_T50_a_path_value_is_escaped_whole() -> None:
    """Slashes, question marks and dots of a value stay inside its segment."""
    assert killmail(killmail_id=1, killmail_hash="a/../b?c=d#e%2F").path == "/killmails/1/a%2F..%2Fb%3Fc%3Dd%23e%252F"


@given(TEXT)
def test_T50_any_text_is_one_segment(text: str) -> None:
    """Law: whatever the value, the path has the same segments and the value comes back."""
    segments = urlsplit(killmail(killmail_id=1, killmail_hash=text).target).path.split("/")
    assert len(segments) == 4
    assert unquote(segments[3]) == text


@given(TEXT.filter(lambda text: len(text) >= 3), st.lists(TEXT, min_size=1))
def test_a_query_comes_back(search: str, categories: list[str]) -> None:
    """Law: what a server reads from the query is what was given."""
    call = ops.search.get_characters_character_id_search(character_id=1, categories=categories, search=search)
    read = parse_qsl(urlsplit(call.target).query, keep_blank_values=True)
    assert read == [*(("categories", category) for category in categories), ("search", search)]


@pytest.mark.parametrize("given", [{}, {"region_id": None}])
def test_T50_a_missing_path_parameter_is_refused(given: dict[str, Any]) -> None:
    """Missing and None are the same error, a ValueError that names the parameter."""
    with pytest.raises(ValueError, match="get_markets_region_id_orders: parameter 'region_id' is missing"):
        ops.operation("get_markets_region_id_orders")(**given)


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_T50_a_path_value_that_climbs_is_refused(text: str) -> None:
    """Such a value would make another path of it."""
    with pytest.raises(InvalidCallError, match="parameter 'killmail_hash' cannot be"):
        killmail(killmail_id=1, killmail_hash=text)


def test_T51_an_unknown_parameter_is_told_the_nearest() -> None:
    """With the right name near, or all names when none is."""
    operation = ops.operation("get_markets_region_id_orders")
    with pytest.raises(ValueError, match="unknown parameter 'regionid'; did you mean 'region_id'"):
        operation(regionid=1)
    with pytest.raises(ValueError, match="unknown parameter 'xyz'; it takes region_id, order_type, page, type_id"):
        operation(region_id=1, xyz=1)
    with pytest.raises(ValueError, match="get_status: unknown parameter 'x'; it takes none"):
        ops.operation("get_status")(x=1)


def test_T51_a_wrong_type_is_named() -> None:
    """Operation, parameter and what it takes are in the error."""
    with pytest.raises(ValueError, match="get_markets_region_id_orders: parameter 'region_id' has to be an integer"):
        orders(region_id="The Forge")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'page' has to be at least 1, not 0"):
        orders(region_id=1, page=0)
    with pytest.raises(ValueError, match="parameter 'body' is missing"):
        ops.universe.post_universe_names(body=None)  # type: ignore[arg-type]


def test_calling_an_operation_asks_for_version_1_objects() -> None:
    """The same call as the function's, but for the form of its answer."""
    call = ops.operation("get_markets_region_id_orders")(region_id=1)
    assert not call.typed
    assert call.target == orders(region_id=1).target
    assert call != orders(region_id=1)


def test_calls_are_equal_when_they_send_the_same() -> None:
    """In whatever form the arguments came; other arguments, language or form of answer make another call."""
    assert orders(region_id=10000002) == orders(region_id=10000002, order_type="all")
    assert hash(orders(region_id=1)) == hash(Call(ops.operation("get_markets_region_id_orders"), {"region_id": "1"}))
    different = {
        orders(region_id=1), orders(region_id=2), orders(region_id=1, page=1), orders(region_id=1).in_language("de"),
        ops.market.get_markets_region_id_types(region_id=1), ops.operation("get_markets_region_id_orders")(region_id=1),
    }  # fmt: skip
    assert len(different) == 6
    assert orders(region_id=1) != "get_markets_region_id_orders"


def test_an_array_keeps_its_order() -> None:
    """The order of ids is the order of the answer: calls that differ in it are two."""
    assert ops.universe.post_universe_names(body=[1, 2]) != ops.universe.post_universe_names(body=[2, 1])
    assert ops.universe.post_universe_names(body={2, 1}) == ops.universe.post_universe_names(body={1, 2})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "call",
    [
        orders(region_id=1, page=3).in_language("de"),
        ops.operation("get_status")(),
        ops.mail.post_characters_character_id_mail(character_id=1, body=MAIL),
        ops.universe.post_universe_names(body=[3, 2, 1]),
    ],
    ids=lambda call: call.operation.name,
)
def test_a_call_survives_copying_and_pickling(call: Call[Any]) -> None:
    """The copy is equal, hashes the same, and holds the very operation of the catalogue."""
    for again in (pickle.loads(pickle.dumps(call)), copy.copy(call), copy.deepcopy(call)):
        assert again == call
        assert hash(again) == hash(call)
        assert again.operation is call.operation
        assert (again.target, again.body, again.language, again.typed, again.arguments) == (
            call.target, call.body, call.language, call.typed, call.arguments,
        )  # fmt: skip


def test_T08_a_pickled_call_is_read_by_another_process() -> None:
    """A call made here is the same call there, whatever the seed of hashes."""
    call = ops.universe.post_universe_ids(body={"Jita", "Amarr", "Dodixie", "Hek"})  # type: ignore[arg-type]
    program = (
        "import pickle, sys; from esipy import ops\n"
        "made = ops.universe.post_universe_ids(body={'Hek', 'Dodixie', 'Jita', 'Amarr'})\n"
        "assert pickle.load(sys.stdin.buffer) == made; print(made.body.decode())"
    )
    done = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(call), capture_output=True, check=True)
    assert done.stdout.strip() == call.body


def test_a_call_never_changes() -> None:
    """Setting and deleting are refused with the way to another call; what it gives out is a copy."""
    call = ops.mail.post_characters_character_id_mail(character_id=1, body=MAIL)
    with pytest.raises(AttributeError, match=r"use call\.replace\(path=\.\.\.\)"):
        call.path = "/elsewhere"
    with pytest.raises(AttributeError, match="nothing of it can be deleted"):
        del call.path
    with pytest.raises(AttributeError, match="a call is a value"):
        call.new = 1
    call.arguments["body"]["recipients"].clear()
    assert call.arguments["body"] == MAIL


def test_what_was_given_may_change_later() -> None:
    """The call keeps no hold on the list or dict that it was built from."""
    ids = [1, 2]
    call = ops.universe.post_universe_names(body=ids)
    ids.append(3)
    assert call.arguments == {"body": (1, 2)}
    assert call.body == b"[1,2]"


def test_replace_gives_another_call() -> None:
    """Some arguments changed, None taking one away; language and form stay."""
    call = orders(region_id=1, page=2).in_language("de")
    assert call.replace(page=3) == orders(region_id=1, page=3).in_language("de")
    assert call.replace(page=None) == orders(region_id=1).in_language("de")
    assert call.arguments["page"] == 2
    with pytest.raises(InvalidCallError, match="did you mean 'page'"):
        call.replace(pag=3)


def test_a_language_is_one_of_ESIs() -> None:
    """What the setting refuses is refused here, too: ESI would answer in English without a word."""
    assert list(LANGUAGES) == [orders(region_id=1).in_language(language).language for language in LANGUAGES]
    assert orders(region_id=1).in_language("de").in_language(None) == orders(region_id=1)
    for wrong in ("", "xx", "EN", "en-us", "de\r\nX-Evil: 1", "d e", "dé", 5, ["de"]):
        with pytest.raises(InvalidCallError) as refused:
            orders(region_id=1).in_language(wrong)  # type: ignore[arg-type]
        said = f"get_markets_region_id_orders: language={wrong!r}: has to be one of en de fr ja ru zh ko es"
        assert said == str(refused.value)


def test_another_api_may_speak_any_language() -> None:
    """It becomes a header: one word of letters, digits and hyphens."""
    status = Operation("x", "x", "", "GET", "/x", base_url="https://example.com")
    assert "de-AT" == Call(status, {}).in_language("de-AT").language
    for wrong in ("", "de\r\nX-Evil: 1", "d e", "dé"):
        with pytest.raises(InvalidCallError, match="is no language"):
            Call(status, {}).in_language(wrong)


def test_arrays_that_esi_would_refuse_are_refused_when_sent() -> None:
    """Building a long call is allowed, so that it can be cut into several; sending it is not."""
    many = ops.universe.post_universe_names(body=range(1001))
    with pytest.raises(InvalidCallError, match="'body' has 1001 items, ESI takes 1000 at once"):
        many.check_sendable()
    many.replace(body=range(1000)).check_sendable()
    with pytest.raises(InvalidCallError, match="'body' holds 5 twice"):
        many.replace(body=[5, 6, 5]).check_sendable()
    with pytest.raises(InvalidCallError, match="'body' has 0 items, ESI wants at least 1"):
        many.replace(body=[]).check_sendable()
    orders(region_id=1).check_sendable()


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_a_body_comes_back(ids: list[int]) -> None:
    """Law: what a server reads from the body is what was given."""
    body = ops.universe.post_universe_names(body=ids).body
    assert body is not None
    assert json.loads(body) == ids


def test_an_operation_shows_itself_and_is_one_object() -> None:
    """Copies and pickles are the very operation of the catalogue."""
    operation = ops.operation("get_status")
    assert repr(operation) == "<Operation get_status: GET /status>"
    assert pickle.loads(pickle.dumps(operation)) is operation
    assert copy.deepcopy(operation) is operation


def test_an_operation_without_a_body_has_no_type() -> None:
    """Neither body parameter nor answer."""
    operation = ops.operation("delete_characters_character_id_contacts")
    assert operation.body is None
    assert operation.result_type() is None


def test_groups_are_equal_by_their_numbers() -> None:
    """Each module has its own object for a group; they are one group."""
    assert RateGroup("a", 1, 2) == RateGroup("a", 1, 2)
    assert hash(RateGroup("a", 1, 2)) == hash(RateGroup("a", 1, 2))
    assert RateGroup("a", 1, 2) != RateGroup("a", 1, 3)
    assert RateGroup("a", 1, 2) != ("a", 1, 2)
    assert repr(RateGroup("a", 1, 2)) == "RateGroup('a', 1, 2)"


def test_an_optional_list_of_ids_is_no_bulk() -> None:
    """A bulk operation is one whose ids must be given."""
    some = Parameter("ids", "query", "integers", max_items=20)
    assert Operation("GetX", "get_x", "x", "GET", "/x", parameters=(some,)).bulk_limit is None
    must = Parameter("ids", "query", "integers", required=True, max_items=20)
    assert Operation("GetX", "get_x", "x", "GET", "/x", parameters=(must,)).bulk_limit == 20
