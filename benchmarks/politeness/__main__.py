"""``python -m benchmarks.politeness [CHARACTERS HOURS [SEED]]``: play a simulated day, and say what it has shown."""

from __future__ import annotations

import sys

from benchmarks.politeness.day import play


def main() -> None:
    characters, hours, seed = [*sys.argv[1:], *("500", "24", "1")[len(sys.argv) - 1 :]]
    day = play(int(characters), float(hours), seed=int(seed))
    for name, value in day._asdict().items():
        if name in ("late", "guilty", "sizes"):
            print(f"{name}: {len(value)}", *value[:10], sep="\n    ")
        else:
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
