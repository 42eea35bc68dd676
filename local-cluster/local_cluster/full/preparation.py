"""Everything that a cluster needs before it can start, and how long that will take.

A new machine compiles for minutes; meanwhile Debian's packages, and whatever else the caller needs (the demo its
images), are fetched and made beside it. Nothing of this is done twice: the second time it is a few looks at the disk.
"""

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from session_devtools import packages
from session_devtools.build.cache import cache_folder
from session_devtools.errors import MachineError
from session_devtools.parallel import run_parallel
from session_devtools.progress import Progress

from local_cluster import build
from local_cluster.build.programs import Program
from local_cluster.full import machine
from local_cluster.full.components import Programs

__all__ = ["check_room", "forecast", "prepare"]

ROOM = 6 << 30  # bytes that Go's cache, the modules' sources and the programs take together
APT_MINUTES = 0.5


def prepare(
    *,
    progress: Progress,
    needs: Sequence[str] = (),
    beside: Sequence[Callable[[], object]] = (),
    minutes: float = 0,
    network_policies: bool = False,
) -> Programs:
    """Have the programs and Debian's packages, `needs` among them; `beside` is done as soon as the packages are there.

    `minutes` is what `beside` will take; `network_policies` adds the program that enforces them.

    :raises ToolError: it could not be done, with what to do.
    """
    machine.check()
    wanted = packages.missing((*machine.PACKAGES, *needs))
    plans = [*build.plans(), *([build.network_policies_plan()] if network_policies else [])]
    lacking = [plan for plan in plans if not plan.is_there()]
    for line in forecast(lacking, wanted, minutes=minutes):
        progress.info(line)
    if lacking:
        check_room(cache_folder())

    def after_packages() -> None:
        packages.ensure((*machine.PACKAGES, *needs), progress=progress)
        run_parallel(lambda: build.runtime(progress=progress), lambda: build.pause(progress=progress), *beside)

    def kubernetes() -> None:
        build.kubernetes(progress=progress)
        if network_policies:  # after it, as they have most packages in common
            build.network_policies(progress=progress)

    run_parallel(kubernetes, after_packages)
    return Programs(
        kubernetes=build.kubernetes(),
        runtime=build.runtime(),
        pause=build.pause(),
        network_policies=build.network_policies() if network_policies else None,
    )


def forecast(lacking: Iterable[Program], wanted: Sequence[str], *, minutes: float) -> list[str]:
    """What will be waited for, and about how long on two idle cores; nothing where nothing is. Pure."""
    long = [plan for plan in lacking if plan.minutes]
    parts = [f"{plan.title} is compiled ({plan.minutes:g} min)" for plan in long]
    if wanted:
        parts.append(f"Debian's {' '.join(wanted)} installed")
    if minutes:
        parts.append(f"the images built ({minutes:g} min)")
    if not parts:
        return []
    whole = sum(plan.minutes for plan in long) + minutes + (APT_MINUTES if wanted else 0)
    return [
        f"about {max(1, round(whole))} min of preparation on two idle cores, once: {', '.join(parts)}",
        "it may be interrupted: the next run goes on from there",
    ]


def check_room(folder: Path) -> None:
    """Raise MachineError where the disk is too full to compile on."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < ROOM:
        raise MachineError(
            f"{place} has {free >> 20} MB free, and compiling takes {ROOM >> 30} GB: free some, or name a folder on another "
            "disk with WHATSAPP_OPERATOR_CACHE (and GOCACHE and GOMODCACHE for Go's own)"
        )
