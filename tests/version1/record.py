"""Writes ``expected/`` anew from EsiPy 1.2.3: ``python -m tests.version1.record [PROGRAM ...]``, from the checkout.

Do this when a program or the sandbox's data have changed; what version 1 prints is what this library has to print.
"""

from __future__ import annotations

import sys

from tests.version1.programs_kit import PROGRAMS, expected_file, run_version1
from tests.version1.version1_kit import version1

if __name__ == "__main__":
    environment = version1()
    for name in sys.argv[1:] or PROGRAMS:
        lines = run_version1(name, environment)
        expected_file(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"{name}: {len(lines)} lines")
