"""One light cluster: from free ports to a ready API server, and back to nothing.

etcd and the API server start at the same moment (the API server waits for its etcd by itself); with controllers, the
controller manager follows as soon as the API server answers. Everything lives in one temporary folder.
"""

import datetime as dt
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Self

from session_devtools.daemons import Daemons
from session_devtools.errors import MachineError, StartError
from session_devtools.http_client import Client, Response
from session_devtools.kubectl import Kubectl
from session_devtools.ports import free_ports
from session_devtools.progress import ConsoleProgress
from session_devtools.waiting import wait_until

from local_cluster import build
from local_cluster.control_plane import ControlPlane, audit_policy
from local_cluster.light.programs import Programs, find_programs
from local_cluster.pki import ADMIN, ClientFiles, Kubeadm, client_files, write_private

__all__ = ["ClientFiles", "LightCluster"]

ATTEMPTS = 3  # a port drawn by two test processes in the same moment is rare, and twice in a row does not happen
POLL = 0.05  # seconds between two looks
NOT_LOOPBACK = "192.0.2.1"  # an address that nobody has (RFC 5737), for kubeadm, which refuses to name the real one


class LightCluster:
    """A running API server with its etcd; a context manager that leaves nothing behind.

    Made by `LightCluster.start()`; its constructor only takes the parts.
    """

    def __init__(self, *, plane: ControlPlane, programs: Programs, daemons: Daemons, kubeadm: Kubeadm) -> None:
        self._plane = plane
        self._programs = programs
        self._daemons = daemons
        self._kubeadm = kubeadm
        self.url = plane.url
        self.ca_file = plane.pki / "ca.crt"
        self.audit_log = plane.audit_log
        self.folder = plane.folder
        self.kubeconfig = plane.kubeconfig(ADMIN)
        """For an administrator, member of system:masters."""
        self.kubectl = Kubectl.isolated(
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

        :raises StartError: it did not start, with the end of a log.
        :raises BuildError: it could not be built.
        :raises MachineError: controllers are asked of programs that have no controller manager.
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
        kubeadm = Kubeadm(
            program=programs.kubeadm or build.kubeadm(progress=ConsoleProgress()),
            plane=plane,
            node="light",
            address=NOT_LOOPBACK,
        )
        kubeadm.certificates(now=dt.datetime.now(dt.UTC))
        plane.audit_policy_file.write_text(audit_policy())
        cluster = cls(plane=plane, programs=programs, daemons=daemons, kubeadm=kubeadm)
        deadline = time.monotonic() + timeout
        cluster._start("etcd")
        cluster._start("kube-apiserver")
        # While they start: nobody asks them before.
        users = {"controller-manager": "system:kube-controller-manager"} if controllers else {}
        kubeadm.kubeconfigs(ADMIN, users=users)
        cluster._wait_for("/readyz", deadline)
        if controllers and programs.controller_manager is not None:
            arguments = plane.controller_manager(secure_port=0)
            daemons.start("kube-controller-manager", programs.controller_manager, arguments)
            # Its work, not its health: pods can be made once the account that they run as exists.
            cluster._wait_for("/api/v1/namespaces/default/serviceaccounts/default", deadline)
        return cluster

    def _start(self, name: str) -> None:
        if name == "etcd":
            self._daemons.start(name, self._programs.etcd, self._plane.etcd())
        else:
            self._daemons.start(name, self._programs.api_server, self._plane.api_server())

    def snapshot(self, name: str) -> Path:
        """Copy etcd's data as they are at one moment, under a name of its own; return the copy.

        etcd is stopped meanwhile as by a debugger, so that the copy is what a crash would leave behind.
        """
        copy, etcd = self.folder / f"snapshot-{name}", self.pids()["etcd"]
        os.kill(etcd, signal.SIGSTOP)
        try:
            shutil.copytree(self._plane.etcd_data, copy)
        finally:
            os.kill(etcd, signal.SIGCONT)
        return copy

    def restore(self, snapshot: Path | None, *, api_server: bool = True, timeout: float = 60.0) -> None:
        """Replace etcd's data by a copy made before, or by none at all, as for a cluster that is set up again.

        The API server starts anew, too, as those who describe a restore ask for, since its caches are of the old data;
        unless `api_server` is false: then it goes on with them.
        """
        for name in ("kube-apiserver", "etcd") if api_server else ("etcd",):
            self._daemons.stop_one(name)
        shutil.rmtree(self._plane.etcd_data)
        if snapshot is not None:
            shutil.copytree(snapshot, self._plane.etcd_data)
        self._start("etcd")
        if api_server:
            self._start("kube-apiserver")
        self._wait_for("/readyz", time.monotonic() + timeout)

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
        return client_files(self.kubeconfig_for(user, *groups))

    def kubeconfig_for(self, user: str, *groups: str) -> Path:
        """A kubeconfig for this user in these groups, with a certificate of its own."""
        serial = len(list(self.folder.glob("user-*.conf")))
        path = self.folder / f"user-{serial}.conf"
        write_private(path, self._kubeadm.kubeconfig(user, *groups).encode())
        return path

    def _wait_for(self, path: str, deadline: float) -> None:
        """Ask the API server for this path until it answers 200; its programs have to run meanwhile."""
        client = self._client()

        def ask() -> Response:
            answer = client.request(path, timeout=5)
            if not answer.ok:
                self._daemons.check()
            return answer

        within = max(0.0, deadline - time.monotonic())
        wait_until(f"the API server's answer to {path}", ask, lambda answer: answer.ok, within=within, every=POLL)

    def _client(self) -> Client:
        return Client(self._plane.url, ca_file=self.ca_file, **client_files(self.kubeconfig)._asdict())
