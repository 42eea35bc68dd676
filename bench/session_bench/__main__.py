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
from session_devtools.progress import ConsoleProgress

from session_bench.figures import Table
from session_bench.machine import load, machine, warning
from session_bench.memory import Plan, measure_memory
from session_bench.one_process.host import KINDS
from session_bench.recovery import measure_recovery
from session_bench.rendering import render, to_json
from session_bench.start import measure_crowd, measure_start
from session_bench.testbed import Testbed

Measure = Callable[[Testbed], Table]


def main(arguments: Sequence[str]) -> int:
    """Run the parts; returns the exit status."""
    args = _parser().parse_args(arguments)
    if (busy := warning(now=load(), cores=os.cpu_count() or 1)) is not None:
        print(f"bench: {busy}", file=sys.stderr)
    try:
        return _measure(args, ResultWriter(file=args.json))
    except ToolError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted; what it made is removed", file=sys.stderr)
        return 130


@dataclass(kw_only=True)
class ResultWriter:
    """What was measured so far: each table is printed and written at once, so a later fault takes nothing away."""

    file: Path | None
    machine_before: dict[str, object] = field(default_factory=machine)
    tables: list[Table] = field(default_factory=list)

    def add(self, table: Table) -> None:
        """Print a table, and write all of them for programs."""
        self.tables.append(table)
        print(f"\n{render(table)}", flush=True)
        if self.file is not None:
            self.file.write_text(to_json(self.tables, {**self.machine_before, "loadAfter": load()}))


def _measure(args: argparse.Namespace, results: ResultWriter) -> int:
    """Measure the parts in order; one that fails does not keep the next from being measured."""
    progress, failed = ConsoleProgress(), 0
    if "operator" in args.parts:
        from session_bench.scale import measure_operator  # late, as below: this part brings up a cluster

        results.add(measure_operator(sessions=args.objects, rounds=args.rounds or 3, progress=progress))
    if "loop" in args.parts:
        from session_bench.loop_steps import measure_loop_steps

        results.add(measure_loop_steps(sessions=args.sessions_in_memory, rounds=args.rounds or 3))
    if "heavy" in args.parts:
        from session_bench.heavy import Plan as Heavy
        from session_bench.heavy import measure_heavy

        results.add(measure_heavy(Heavy(rounds=args.rounds or 3, rest=args.rest), progress=progress))
    if "send" in args.parts:
        from session_bench.sending.run import Plan as Messages
        from session_bench.sending.run import measure_send

        results.add(measure_send(Messages(texts=args.texts, rounds=args.rounds or 3), progress=progress))
    measures = [measure for name, measure in _on_cluster(args, progress).items() if name in args.parts]
    for kind in KINDS if "memory" in args.parts else KINDS[:1] if "crowd" in args.parts else ():
        kind.program.prepare(progress)
    if measures:
        from session_bench.provision import provision

        with provision(args.name) as testbed:
            for measure in measures:
                try:
                    results.add(measure(testbed))
                except ToolError as error:
                    print(f"bench: {error}", file=sys.stderr)
                    failed += 1
                    testbed.clear()
    return 1 if failed else 0


def _on_cluster(args: argparse.Namespace, progress: ConsoleProgress) -> dict[str, Measure]:
    """What is measured on a real cluster, in the order of its trouble for the machine."""
    rounds, sessions = args.rounds or 3, args.sessions
    plan = Plan(rounds=rounds, sessions=sessions, rest=args.rest)
    return {
        "start": lambda testbed: measure_start(testbed, rounds=args.rounds or 7, progress=progress),
        "recovery": lambda testbed: measure_recovery(testbed, rounds=rounds, progress=progress),
        "crowd": lambda testbed: measure_crowd(testbed, rounds=rounds, sessions=sessions, progress=progress),
        "memory": lambda testbed: measure_memory(testbed, plan, progress=progress),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m session_bench", description="Measure; compare within the run.")
    parser.add_argument(
        "parts",
        nargs="+",
        choices=("start", "crowd", "recovery", "memory", "operator", "loop", "send", "heavy"),
        help="what to measure",
    )
    parser.add_argument("--name", default="bench", help="which local cluster (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single figure there")
    parser.add_argument("--rounds", type=int, help="how often each is measured (default: 3, for start 7)")
    parser.add_argument("--sessions", type=int, default=8, help="how many at once (default: %(default)s)")
    parser.add_argument(
        "--objects", type=int, default=300, help="how many for the operator alone (default: %(default)s)"
    )
    parser.add_argument(
        "--sessions-in-memory",
        type=int,
        default=10_000,
        help="how many for the steps of the loop (default: %(default)s)",
    )
    parser.add_argument("--texts", type=int, default=200, help="messages one at a time (default: %(default)s)")
    parser.add_argument("--rest", type=float, default=60.0, help="seconds of rest before memory is read (default: 60)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
