"""Look for input that breaks the server, for some seconds: `./dev fuzz 600`.

Begins with the kept corpus and the torture messages. What is found is left in `var/fuzz`: a `crash-...` file is an
input that breaks something, and belongs into `tests/fuzz/corpus` with the fix.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))
with atheris.instrument_imports(include=["sipcore", "routing", "modules"]):
    from tests.fuzz.whole_path import WholePath

KEPT = (HERE / "corpus", *(HERE.parent / "torture").glob("rfc*"))
LONGEST = 6_000
"""Bytes of one input: the longest torture message has 3,500."""


def main() -> None:
    """Fuzz until the time is over (exit code 0) or something is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=int)
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "fuzz", help="where what is found is left")
    parser.add_argument("--seed", type=int, default=0, help="the same one tries the same inputs; 0: another each time")
    arguments = parser.parse_args()
    corpus = arguments.folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    options = {
        "max_total_time": arguments.seconds,
        "seed": arguments.seed,
        "max_len": LONGEST,
        "timeout": 10,
        "rss_limit_mb": 2048,
        "dict": HERE / "sip.dict",
        "artifact_prefix": f"{arguments.folder}/",
        "print_final_stats": 1,
    }
    command = [sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), str(corpus), *map(str, KEPT)]
    atheris.Setup(command, WholePath().run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
