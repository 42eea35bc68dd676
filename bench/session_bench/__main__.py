"""`python -m session_bench PART...`: measure, print tables, keep the single figures. `make bench` calls it.

The last line of a part that compares two ways of doing the same is `ratio R`.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from session_devtools.errors import ToolError
from session_devtools.steps import Steps

from session_bench.figures import Table
from session_bench.ground import Ground
from session_bench.machine import load, machine, warning
from session_bench.memory import Plan, measure_memory
from session_bench.one_process.host import KINDS
from session_bench.recovery import measure_recovery
from session_bench.rendering import render, to_json
from session_bench.start import measure_crowd, measure_start

Measure = Callable[[Ground], Table]


def main(arguments: Sequence[str]) -> int:
    """Run the parts; returns the exit status."""
    given = _parser().parse_args(arguments)
    if (told := warning(now=load(), cores=os.cpu_count() or 1)) is not None:
        print(f"bench: {told}", file=sys.stderr)
    try:
        return _measure(given, Told(file=given.json))
    except ToolError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted; what it made is removed", file=sys.stderr)
        return 130


@dataclass(kw_only=True)
class Told:
    """What was measured so far: each table is printed and written at once, so a later fault takes nothing away."""

    file: Path | None
    before: dict[str, object] = field(default_factory=machine)
    tables: list[Table] = field(default_factory=list)

    def tell(self, table: Table) -> None:
        """Print a table, and write all of them for programs."""
        self.tables.append(table)
        print(f"\n{render(table)}", flush=True)
        if self.file is not None:
            self.file.write_text(to_json(self.tables, {**self.before, "loadAfter": load()}))


def _measure(given: argparse.Namespace, told: Told) -> int:
    """Measure the parts in order; one that fails does not keep the next from being measured."""
    progress, missed = Steps(), 0
    if "operator" in given.parts:
        from session_bench.scale import measure_operator  # late, as below: this part brings up a cluster

        told.tell(measure_operator(sessions=given.objects, rounds=given.rounds or 3, progress=progress))
    wanted = [measure for name, measure in _on_ground(given, progress).items() if name in given.parts]
    if "memory" in given.parts:
        for kind in KINDS:
            kind.program.prepare(progress)
    if wanted:
        from session_bench.setting import ground

        with ground(given.name) as place:
            for measure in wanted:
                try:
                    told.tell(measure(place))
                except ToolError as error:
                    print(f"bench: {error}", file=sys.stderr)
                    missed += 1
                    place.clear()
    return 1 if missed else 0


def _on_ground(given: argparse.Namespace, progress: Steps) -> dict[str, Measure]:
    """What is measured on a real cluster, in the order of its trouble for the machine."""
    rounds, sessions = given.rounds or 3, given.sessions
    plan = Plan(rounds=rounds, sessions=sessions, rest=given.rest)
    return {
        "start": lambda place: measure_start(place, rounds=given.rounds or 7, progress=progress),
        "recovery": lambda place: measure_recovery(place, rounds=rounds, progress=progress),
        "crowd": lambda place: measure_crowd(place, rounds=rounds, sessions=sessions, progress=progress),
        "memory": lambda place: measure_memory(place, plan, progress=progress),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m session_bench", description="Measure; compare within the run.")
    parser.add_argument(
        "parts", nargs="+", choices=("start", "crowd", "recovery", "memory", "operator"), help="what to measure"
    )
    parser.add_argument("--name", default="bench", help="which local cluster (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single figure there")
    parser.add_argument("--rounds", type=int, help="how often each is measured (default: 3, for start 7)")
    parser.add_argument("--sessions", type=int, default=8, help="how many at once (default: %(default)s)")
    parser.add_argument(
        "--objects", type=int, default=300, help="how many for the operator alone (default: %(default)s)"
    )
    parser.add_argument("--rest", type=float, default=60.0, help="seconds of rest before memory is read (default: 60)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
