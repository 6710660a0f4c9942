"""The cache in a file, shared by processes: that come and go, are killed, or are forked."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

from esipy.stores.base import StoreUnavailable
from esipy.stores.sqlite_cache import USES_SECONDS
from tests.forks import another_thread, child, needs_fork
from tests.stores.caches import BODY, Asker, Place, count


def test_what_was_used_is_known_to_all_processes(place: Place) -> None:
    """After a while: when the reader is closed, keeps something, or has read for some seconds."""
    reader, writer = place.process(max_bytes=400_000), place.process(max_bytes=400_000)
    for number in range(10):
        place.now += 1
        writer.put(str(number), BODY)
    reader.body("0")
    place.now += USES_SECONDS
    reader.body("1")
    reader.body("2")
    reader.shared.close()
    for number in range(10, 30):
        place.now += 1
        writer.put(str(number), BODY)
        if place.raw("3") is None:
            break
    assert [place.raw(str(number)) is not None for number in range(4)] == [True, True, True, False]


PROGRAM = """
import random, sys, time
from esipy.core.answer import Answer
from esipy.core.wire import Headers
from esipy.stores.sqlite_cache import SqliteCache

cache = SqliteCache(sys.argv[1], max_bytes=2_000_000)
chosen = random.Random(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    key = str(chosen.randrange(40))
    found = cache.get(key, time.time)
    assert found is None or (set(found.body) == {ord(key[-1])} and len(found.body) == int(found.headers["x-length"]))
    if chosen.randrange(3) == 0:
        token = cache.claim(key, 30)
        if token is not None:
            length = chosen.randrange(1, 40000)
            headers = Headers([("X-Length", str(length))])
            answer = Answer(200, headers, key[-1].encode() * length, "network", time.time() + 300)
            cache.put(key, answer, "/" + key, time.time, token)
    if chosen.randrange(20) == 0:
        cache.drop("/" + key)
    if number % 10 == 0:
        print(number, flush=True)
cache.close()
print("done", flush=True)
"""


def start(place: Place, seed: int, steps: int) -> subprocess.Popen[str]:
    """One more process, at work on the file."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(place.file), str(seed), str(steps)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def go(process: subprocess.Popen[str]) -> None:
    """Let it begin."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    """What it says next."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_processes_share_a_file(place: Place) -> None:
    """Three that begin together, the file not there yet: whatever they do, what is read is what one of them put."""
    processes = [start(place, seed, 400) for seed in range(3)]
    for each in processes:
        assert hear(each) == "ready"
    for each in processes:
        go(each)
    for each in processes:
        out, _ = each.communicate(timeout=60)
        assert out.endswith("done\n")
    assert count(place, "claims") == 0


def test_a_process_that_is_killed_while_it_writes_leaves_a_sound_file(place: Place) -> None:
    """kill -9: the others go on; what it had claimed can be claimed again when its time is over."""
    with start(place, 1, 1_000_000) as process:
        go(process)
        for _ in range(30):
            hear(process)
        process.kill()
    with closing(sqlite3.connect(place.file)) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert file.execute("SELECT count(*) FROM entries WHERE id NOT IN (SELECT id FROM uses)").fetchone() == (0,)
    with start(place, 2, 100) as process:
        go(process)
        assert process.communicate(timeout=60)[0].endswith("done\n")


@needs_fork
def test_parent_and_child_share_the_file_after_a_fork(place: Place, process: Asker) -> None:
    """The child opens it anew, and leaves the parent's connection as it was."""
    process.put("a", b"parent")

    def work() -> bool:
        if process.body("a") != b"parent":
            return False
        process.put("a", b"child")
        return True

    assert child(work)
    assert process.body("a") == b"child"


@needs_fork
def test_a_child_does_not_wait_for_a_thread_of_its_parent(process: Asker) -> None:
    """One that was in the midst of a verb when the process forked."""
    process.put("a")

    def work() -> bool:
        try:
            process.body("a")
        except StoreUnavailable:  # the parent's transaction keeps the child from opening the file, and nothing else
            return True
        return False

    with another_thread(process.shared._file.do):
        assert child(work)
