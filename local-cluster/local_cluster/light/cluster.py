"""One light cluster: from free ports to a ready API server, and back to nothing.

etcd and the API server start at the same moment (the API server waits for its etcd by itself); with controllers, the
controller manager follows as soon as the API server answers. Everything lives in one temporary folder.
"""

import datetime as dt
import shutil
import tempfile
import time
from pathlib import Path
from typing import NamedTuple, Self

from session_devtools.daemons import Daemons
from session_devtools.errors import MachineError, StartError
from session_devtools.kubectl import Kubectl
from session_devtools.ports import free_ports
from session_devtools.waiting import wait_until
from session_devtools.web import Answer, Client

from local_cluster.control_plane import AUTHORITIES, ControlPlane, audit_policy, certificates
from local_cluster.light.programs import Programs, find_programs
from local_cluster.pki import Authority, Pair, kubeconfig
from local_cluster.pki.store import write_private

__all__ = ["ClientFiles", "LightCluster"]

ATTEMPTS = 3  # a port drawn by two test processes in the same moment is rare, and twice in a row does not happen
POLL = 0.05  # seconds between two looks


class ClientFiles(NamedTuple):
    """A client certificate and its key as files."""

    certificate: Path
    key: Path


class LightCluster:
    """A running API server with its etcd; a context manager that leaves nothing behind.

    Made by `LightCluster.start()`; its constructor only takes the parts.
    """

    def __init__(self, *, plane: ControlPlane, programs: Programs, daemons: Daemons) -> None:
        self._plane = plane
        self._programs = programs
        self._daemons = daemons
        self.url = plane.url
        self.ca_file = plane.pki.certificate("ca")
        self.audit_log = plane.audit_log
        self.folder = plane.folder
        self.kubeconfig = plane.folder / "admin.kubeconfig"
        """For an administrator, member of system:masters."""
        self.kubectl = Kubectl.alone(
            program=programs.kubectl, kubeconfig=self.kubeconfig, cache=plane.folder / "kubectl-cache"
        )

    @classmethod
    def start(
        cls,
        *,
        controllers: bool = False,
        programs: Programs | None = None,
        parent_folder: Path | None = None,
        timeout: float = 60.0,
    ) -> Self:
        """Start one and wait until it is ready; `timeout` is in seconds.

        Raises StartError with the end of a log, BuildError, or MachineError when controllers are asked of programs
        that have no controller manager.
        """
        used = programs if programs is not None else find_programs()
        if controllers and used.controller_manager is None:
            raise MachineError("these programs have no kube-controller-manager; unset KUBEBUILDER_ASSETS")
        for attempt in range(1, ATTEMPTS + 1):
            folder = Path(tempfile.mkdtemp(prefix="light-cluster-", dir=parent_folder))
            daemons = Daemons(folder)
            try:
                cluster = cls._start_in(folder, daemons, used, controllers=controllers, timeout=timeout)
            except BaseException as error:
                daemons.stop()
                shutil.rmtree(folder, ignore_errors=True)
                collided = isinstance(error, StartError) and "address already in use" in str(error)
                if not collided or attempt == ATTEMPTS:
                    raise
            else:
                return cluster
        raise AssertionError("unreachable: the last attempt returns or raises")

    @classmethod
    def _start_in(
        cls, folder: Path, daemons: Daemons, programs: Programs, *, controllers: bool, timeout: float
    ) -> Self:
        api_port, etcd_port, etcd_peer_port = free_ports(3)
        plane = ControlPlane(
            folder=folder,
            bind="127.0.0.1",
            advertise="127.0.0.1",
            api_port=api_port,
            etcd_port=etcd_port,
            etcd_peer_port=etcd_peer_port,
            service_accounts=controllers,
            extra_api_flags={"endpoint-reconciler-type": "none"},  # it refuses to advertise loopback otherwise
        )
        _write_files(plane)
        cluster = cls(plane=plane, programs=programs, daemons=daemons)
        deadline = time.monotonic() + timeout
        daemons.start("etcd", programs.etcd, plane.etcd())
        daemons.start("kube-apiserver", programs.api_server, plane.api_server())
        cluster._wait_for("/readyz", deadline)
        if controllers and programs.controller_manager is not None:
            arguments = plane.controller_manager(secure_port=0)
            daemons.start("kube-controller-manager", programs.controller_manager, arguments)
            # Its work, not its health: pods can be made once the account that they run as exists.
            cluster._wait_for("/api/v1/namespaces/default/serviceaccounts/default", deadline)
        return cluster

    def stop(self) -> None:
        """End its processes and remove its folder; a second call does nothing."""
        self._daemons.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def pids(self) -> dict[str, int]:
        """The process ids by component."""
        return self._daemons.pids()

    def client_cert_for(self, user: str, *groups: str) -> ClientFiles:
        """A certificate that makes its holder this user in these groups, as files in this cluster's folder."""
        pair = self._sign(user, groups)
        serial = len(list(self.folder.glob("client-*.crt")))
        files = ClientFiles(self.folder / f"client-{serial}.crt", self.folder / f"client-{serial}.key")
        write_private(files.key, pair.key)
        write_private(files.certificate, pair.certificate)
        return files

    def kubeconfig_for(self, user: str, *groups: str) -> Path:
        """A kubeconfig for this user in these groups, with a certificate of its own."""
        serial = len(list(self.folder.glob("user-*.kubeconfig")))
        path = self.folder / f"user-{serial}.kubeconfig"
        _write_kubeconfig(self._plane, path, self._sign(user, groups))
        return path

    def _sign(self, user: str, groups: tuple[str, ...]) -> Pair:
        authority = Authority(pair=self._plane.pki.pair("ca"))
        return authority.client(user, groups=groups, now=dt.datetime.now(dt.UTC))

    def _wait_for(self, path: str, deadline: float) -> None:
        """Ask the API server for this path until it answers 200; its programs have to run meanwhile."""
        client = self._client()

        def ask() -> Answer:
            answer = client.ask(path, timeout=5)
            if not answer.ok:
                self._daemons.check()
            return answer

        within = max(0.0, deadline - time.monotonic())
        wait_until(f"the API server's answer to {path}", ask, lambda answer: answer.ok, within=within, every=POLL)

    def _client(self) -> Client:
        pki, plane = self._plane.pki, self._plane
        return Client(
            plane.url,
            authority=self.ca_file,
            certificate=pki.certificate("admin"),
            key=pki.key("admin"),
        )


def _write_files(plane: ControlPlane) -> None:
    """Everything the processes read at their start."""
    now = dt.datetime.now(dt.UTC)
    pki = plane.pki
    for authority in AUTHORITIES:
        pki.ensure_authority(authority, now=now)
    for wanted in certificates(plane):
        pki.ensure(wanted, now=now)
    pki.ensure_signing_key("service-accounts")
    plane.audit_policy_file.write_text(audit_policy())
    for name in ("admin", "controller-manager"):
        _write_kubeconfig(plane, plane.folder / f"{name}.kubeconfig", pki.pair(name))


def _write_kubeconfig(plane: ControlPlane, path: Path, client: Pair) -> None:
    authority = plane.pki.certificate("ca").read_bytes()
    write_private(path, kubeconfig(url=plane.url, authority=authority, client=client, name="light").encode())
