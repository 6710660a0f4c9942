"""What the tests of all stores stand on: a clock that they set, and files that they look at and damage."""

from __future__ import annotations

from pathlib import Path


class Clock:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        """Let them pass."""
        self.now += seconds


def files(path: Path) -> list[str]:
    """What is in the folder of a file, without what SQLite keeps beside one that is open."""
    return sorted(each.name for each in path.parent.iterdir() if not each.name.endswith(("-wal", "-shm", ".lock")))


def damage(path: Path, kept: int = 100) -> None:
    """Write over the file but for its header, as a failing disk does, and take its log away."""
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    sound = path.read_bytes()
    path.write_bytes(sound[:kept] + b"x" * (len(sound) - kept))
