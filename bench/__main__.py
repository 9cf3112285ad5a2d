"""`python -m bench [NAMES...] [--json]`: run benchmarks and print them beside their references."""

import argparse
import json
import sys
from datetime import UTC, datetime

from bench import (
    answers,
    crowd,
    greeks,
    history,
    ladder,
    machine,
    minute,
    page,
    replay,
    strategy,
    stream,
    writes,
)
from bench.results import Result, table

BENCHMARKS = {
    "writes": writes.run,
    "strategy": strategy.run,
    "greeks": greeks.run,
    "replay": replay.run,
    "stream": stream.run,
    "history": history.run,
    "page": page.run,
}
# Only when named: they take a market's minutes, or store two whole sessions first.
SLOW = {"minute": minute.run, "ladder": ladder.run, "crowd": crowd.run, "answers": answers.run}


def main() -> None:
    """Run the named benchmarks, or all quick ones; a missed target is shown and is no failure."""
    every = BENCHMARKS | SLOW
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(every))
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(every):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    described = {"date": f"{datetime.now(UTC):%Y-%m-%d}", **machine.describe()}
    results: list[Result] = []
    for name in arguments.names or BENCHMARKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        results += every[name]()
    if arguments.json:
        found = [result.to_json() for result in results]
        print(json.dumps({"machine": described, "results": found}, indent=1))
    else:
        print("\n".join(f"{name}: {text}" for name, text in described.items()), end="\n\n")
        print(table(results))


if __name__ == "__main__":
    main()
