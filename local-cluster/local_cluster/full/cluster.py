"""The full cluster for programs: what the demo, the end-to-end tests and a Python prompt hold in their hands."""

from collections.abc import Callable, Sequence
from pathlib import Path

from session_devtools.errors import MachineError
from session_devtools.kubectl import Kubectl
from session_devtools.progress import NoProgress, Progress

from local_cluster import build
from local_cluster.full import namespaces, records
from local_cluster.full.down import down
from local_cluster.full.instance import Instance, check_name
from local_cluster.full.load import load
from local_cluster.full.preparation import prepare
from local_cluster.full.status import Status, status
from local_cluster.full.up import ANCHOR, supervisor_of, up

__all__ = ["FullCluster"]


class FullCluster:
    """A cluster by its name, whether it runs or not.

    `network_policies` says whether `up` has NetworkPolicy enforced; None leaves that as it is, and a new cluster without.
    """

    def __init__(self, name: str, *, network_policies: bool | None = None) -> None:
        self.name = check_name(name)
        self._network_policies = network_policies

    def up(
        self,
        *,
        progress: Progress | None = None,
        needs: Sequence[str] = (),
        beside: Sequence[Callable[[], object]] = (),
        minutes: float = 0,
    ) -> None:
        """Have it run and be ready; quick and harmless when it does.

        While its programs are made on a new machine, `beside` is done as soon as the packages that it `needs` are there;
        that takes about so many `minutes`.

        :raises ToolError: it could not be done.
        """
        watcher = progress or NoProgress()
        wanted = self._network_policies
        if wanted is None:
            found = records.find(self.name)
            wanted = found is not None and found.network_policies
        programs = prepare(progress=watcher, needs=needs, beside=beside, minutes=minutes, network_policies=wanted)
        up(self.name, programs, progress=watcher)

    def down(self, *, progress: Progress | None = None) -> bool:
        """Remove all of it; False when there was nothing.

        :raises ToolError: it could not be done.
        """
        return down(self.name, progress=progress or NoProgress())

    def load(self, archive: Path) -> list[str]:
        """Bring an OCI archive's images in, and return their names.

        :raises ToolError: it could not be done.
        """
        return load(self.instance, archive)

    def status(self) -> Status:
        """What runs of it."""
        return status(self.instance, supervisor_of(self.instance))

    def inside(self, *command: str) -> list[str]:
        """The words that run a command in its namespaces, as root.

        :raises MachineError: it does not run.
        """
        return [*namespaces.enter(self._anchor()), *command]

    @property
    def network(self) -> Path:
        """Its network namespace, for a program that enters by itself.

        :raises MachineError: it does not run.
        """
        return Path(f"/proc/{self._anchor()}/ns/net")

    def pids(self) -> Sequence[int]:
        """Every process of it, the pods' included."""
        return supervisor_of(self.instance).pids()

    @property
    def instance(self) -> Instance:
        """Its names and places.

        :raises MachineError: when there is no such cluster.
        """
        found = records.find(self.name)
        if found is None:
            others = ", ".join(records.names()) or "none"
            raise MachineError(f"there is no cluster {self.name} (there is: {others}); `make cluster-up` makes one")
        return found

    @property
    def kubectl(self) -> Kubectl:
        """Kubectl as its administrator."""
        instance = self.instance
        program = build.kubernetes() / "kubectl"
        return Kubectl.isolated(
            program=program, kubeconfig=instance.kubeconfig, cache=instance.plane.folder / "kubectl-cache"
        )

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.instance.kubeconfig

    def _anchor(self) -> int:
        """The process that holds its namespaces."""
        anchor = supervisor_of(self.instance).running(ANCHOR)
        if anchor is None:
            raise MachineError(f"the cluster {self.name} does not run; start it with `make cluster-up`")
        return anchor.pid

    @property
    def audit_log(self) -> Path:
        """JSON lines, one per answered request."""
        return self.instance.plane.audit_log
