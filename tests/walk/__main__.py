"""`python -m walk`: a random walk against the real runner in both modes. `make test-walk` calls it.

With `--fault` the runner has a planted fault, and one of several walks has to find it.
"""

import argparse
import asyncio
import itertools
import sys
from collections.abc import Sequence

from standin.settings import Mode
from support.runner_process import RUNNER

from walk.examples import EXAMPLES
from walk.faults import FAULTS
from walk.journey import Failure, play, shortest
from walk.model import sanitized
from walk.steps import Step, parse, render
from walk.walk import random_walk

SEED = 814
""" One whose first walks come by most of what is planted. """
ATTEMPTS = 6


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status: 1 when something was not as expected."""
    options = _parser().parse_args(arguments)
    return asyncio.run(_try_faults(options) if options.fault else _walk(options))


async def _walk(options: argparse.Namespace) -> int:
    status = 0
    for mode in options.mode or Mode:
        for steps in _walks(options):
            failure = await play(steps, mode=mode, report=_report, go_on=options.go_on)
            if failure is None:
                continue
            status = 1
            if not options.go_on:
                failure = await _shortened(failure, mode=mode)
            print(f"make test-walk MODE={mode} REPLAY='{render(failure.steps)}'\n    {failure.what}", flush=True)
            break
    return status


def _walks(options: argparse.Namespace) -> list[list[Step]]:
    if options.replay:
        return [sanitized(parse(options.replay))]
    print(f"make test-walk STEPS={options.steps} SEED={options.seed}", flush=True)
    return [*map(parse, EXAMPLES), list(random_walk(seed=options.seed, steps=options.steps))]


async def _shortened(failure: Failure, *, mode: str) -> Failure:
    async def replay(steps: Sequence[Step]) -> Failure | None:
        found = await play(steps, mode=mode, report=lambda _: None)
        _report(f"{'fails, too' if found else 'holds'}: {render(steps)}")
        return found

    return await shortest(failure, replay)


async def _try_faults(options: argparse.Namespace) -> int:
    names = list(FAULTS) if options.fault == "all" else [options.fault]
    found = [name for name in names if await _is_found(name, options)]
    print(f"{len(found)} of {len(names)} planted faults found, seed {options.seed}")
    return 0 if len(found) == len(names) else 1


async def _is_found(name: str, options: argparse.Namespace) -> bool:
    """Walk until the fault shows, from one seed after the other and in one mode after the other."""
    program = (*RUNNER[:1], "walk.planted", name)
    for attempt, mode in zip(range(ATTEMPTS), itertools.cycle(options.mode or Mode), strict=False):
        steps = random_walk(seed=options.seed + attempt, steps=options.steps)
        failure = await play(steps, mode=mode, report=_report, program=program)
        if failure is not None:
            print(f"{name}: found by step {len(failure.steps)} of walk {attempt + 1} ({mode}): {failure}", flush=True)
            return True
    print(f"{name}: NOT FOUND in {ATTEMPTS} walks", flush=True)
    return False


def _report(line: str) -> None:
    print(f"  {line}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m walk", description="Do to a session whatever may happen, by chance; see whether it says so."
    )
    parser.add_argument("--steps", type=int, default=110, help="in each mode (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="of the walk (default: %(default)s)")
    parser.add_argument(
        "--mode", choices=list(Mode), action="append", help="of the page (default: one after the other)"
    )
    parser.add_argument("--replay", default="", help="play these steps alone: 'start; scan; reload'")
    parser.add_argument(
        "--go-on", action="store_true", help="play the rest after something unexpected; shorten nothing"
    )
    parser.add_argument("--fault", choices=[*FAULTS, "all"], help="plant it; the walk has to find it")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
