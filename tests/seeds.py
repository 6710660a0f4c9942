"""Programs that have to say the same in every process."""

from __future__ import annotations

import os
import subprocess
import sys


def printed(program: str, *seeds: str) -> set[str]:
    """What a program prints, by processes with these seeds of their hashes; a failing one fails the test."""
    return {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in seeds
    }
