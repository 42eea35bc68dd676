"""From whatever is there, nothing, half a cluster or a whole one, to a cluster that runs.

Every part is asked for rather than started: what is there and right stays, so a second call is quick, and whatever a
Ctrl-C, a crash or a reboot took away is made again.
"""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from session_devtools.build.cache import cache_folder
from session_devtools.cgroups import CgroupTree
from session_devtools.commands import run
from session_devtools.errors import StartError
from session_devtools.progress import Progress

from local_cluster.control_plane import audit_policy
from local_cluster.full import configs, machine, namespaces, oci, policies, readiness, records
from local_cluster.full.components import USERS, Files, Programs, daemons
from local_cluster.full.instance import Instance
from local_cluster.full.manifests import POLICIES_USER, manifests
from local_cluster.full.retrying import retry_os_errors
from local_cluster.full.supervisor import Daemon, Supervisor
from local_cluster.pki import Kubeadm, write_private

__all__ = ["supervisor_of", "up"]

ANCHOR = "anchor"
NODE_DAEMONS = ("containerd", "kubelet", "kube-proxy", "coredns", "provisioner")


def up(name: str, programs: Programs, *, progress: Progress) -> Instance:
    """Have the cluster of that name run and be ready, out of programs that `prepare` has made.

    NetworkPolicy is enforced where its program is among them.

    :raises ToolError: it could not be done, with what to do.
    """
    with records.locked(f"cluster {name}", progress=progress):
        instance = records.find_or_create(name)
        if programs.network_policies is not None:
            instance = _remember(instance, network_policies=True)
        with records.locked(records.MACHINE):
            machine.remember_settings(instance.state_root / machine.NOTE)
        supervisor = supervisor_of(instance)
        image = _write_files(instance, programs)
        anchor = _anchor(instance, supervisor, programs, progress)
        wanted = {daemon.name: daemon for daemon in daemons(instance, programs)}

        def ensure(*names: str) -> bool:
            return any([supervisor.ensure(wanted[name], inside=anchor) for name in names])  # noqa: C419  all of them

        with progress.step("etcd and the API server"):
            # containerd needs neither and takes a second as well
            ensure("etcd", "kube-apiserver", "containerd")
            readiness.wait_for_api(instance, supervisor)
            ensure("kube-controller-manager", "kube-scheduler")
        with progress.step("the node"):
            _apply(instance, programs)
            _load_pause_image(instance, supervisor, programs, image)
            # Before the kubelet, which may start pods of an earlier run.
            if programs.network_policies is not None:
                policies.switch_on(policies.daemon(instance, programs.network_policies), supervisor, anchor=anchor)
            elif instance.network_policies:
                policies.switch_off(instance, supervisor, anchor=anchor)
                kinds = "clusterrolebinding,clusterrole"
                _kubectl(instance, programs, "delete", kinds, POLICIES_USER, "--ignore-not-found")
                instance = _remember(instance, network_policies=False)
            ensure(*NODE_DAEMONS)
            readiness.wait_for_node(instance, supervisor)
        with progress.step("DNS and volumes"):
            readiness.wait_for_dns(instance, supervisor)
            supervisor.check("provisioner")
    return instance


def _remember(instance: Instance, *, network_policies: bool) -> Instance:
    """The instance with this written down."""
    instance = dataclasses.replace(instance, network_policies=network_policies)
    records.remember(instance)
    return instance


def supervisor_of(instance: Instance) -> Supervisor:
    """The supervisor of an instance's daemons."""
    return Supervisor(records=instance.run / "processes", logs=instance.logs, cgroups=CgroupTree(instance.label))


def _write_files(instance: Instance, programs: Programs) -> str:
    """Certificates, kubeconfigs and configuration; a file that is right is not touched. Returns the pause image."""
    now = dt.datetime.now(dt.UTC)
    plane, files = instance.plane, Files(instance)
    program = programs.kubernetes / "kubeadm"
    kubeadm = Kubeadm(program=program, plane=plane, node=instance.node, address=plane.advertise)
    kubeadm.certificates(now=now)
    kubeadm.kubelet_certificates(now=now)
    judge = {} if programs.network_policies is None else {policies.NAME: POLICIES_USER}
    kubeadm.kubeconfigs(users={**USERS, **judge})
    image = oci.pause_image(programs.pause.read_bytes())
    containerd = configs.containerd(
        pause_image=image,
        shim=programs.runtime / "containerd-shim-runc-v2",
        runc=programs.runtime / "runc",
        cni_folder=files.cni.parent,
        registries=files.registries,
        may_lower_oom_score=machine.may_lower_oom_score(),
    )
    texts: Mapping[Path, str] = {
        plane.audit_policy_file: audit_policy(),
        files.containerd: containerd,
        files.cni: configs.cni(),
        files.kubelet: configs.kubelet(instance, resolv_conf_file=files.resolv_conf),
        files.resolv_conf: configs.resolv_conf(instance),
        files.corefile: configs.corefile(instance, kubeconfig=plane.kubeconfig("dns")),
    }
    for path, text in texts.items():
        if not path.exists() or path.read_text() != text:
            write_private(path, text.encode())
    return image


def _anchor(instance: Instance, supervisor: Supervisor, programs: Programs, progress: Progress) -> int:
    """The process that holds the namespaces; without it all that is left of the instance is ended first."""
    running = supervisor.running(ANCHOR)
    if running is None:
        with progress.step("namespaces, cgroups and the link"):
            left = supervisor.end_everything()
            if left:
                raise StartError(f"process {left[0].pid} of an earlier cluster can not be ended; a reboot will help")
            # Gone and made anew: the kubelet's statistics wait for seconds on each empty cgroup of a dead container.
            cgroups = CgroupTree(instance.label)
            retry_os_errors(cgroups.remove)
            cgroups.create()
            namespaces.make_folders(instance)
            keep = [instance.state, cache_folder()]
            command = namespaces.anchor_command(instance, pause=programs.pause, keep=keep)
            supervisor.ensure(Daemon(name=ANCHOR, command=command), inside=None)
            readiness.wait_for(
                lambda: _is_furnished(supervisor, programs.pause),
                what="the namespaces' start",
                check=lambda: supervisor.check(ANCHOR),
                timeout=20,
            )
            running = supervisor.running(ANCHOR)
    if running is None:
        raise StartError("the anchor has ended")
    namespaces.connect(instance, running.pid)
    return running.pid


def _is_furnished(supervisor: Supervisor, pause: Path) -> bool:
    """Whether the anchor's shell has done its work and become the program that waits."""
    process = supervisor.running(ANCHOR)
    return process is not None and Path(f"/proc/{process.pid}/exe").resolve().name == pause.name


def _apply(instance: Instance, programs: Programs) -> None:
    """Apply the cluster's own objects, once per content: the note of it lies beside etcd's data, and goes with it."""
    items = manifests(network_policies=programs.network_policies is not None)
    objects = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    note, digest = instance.plane.folder / "applied", hashlib.sha256(objects.encode()).hexdigest()
    if note.exists() and note.read_text() == digest:
        return
    arguments = ("apply", "--server-side", "--field-manager=local-cluster", "-f", "-")
    _kubectl(instance, programs, *arguments, input=objects)
    note.write_text(digest)


def _kubectl(instance: Instance, programs: Programs, *arguments: str, input: str | None = None) -> None:  # noqa: A002  as in `run`
    environment = {"KUBECONFIG": str(instance.kubeconfig), "HOME": str(instance.plane.folder), "PATH": "/usr/bin:/bin"}
    run(programs.kubernetes / "kubectl", *arguments, input=input, environment=environment)


def _load_pause_image(instance: Instance, supervisor: Supervisor, programs: Programs, image: str) -> None:
    """The sandbox's image; there is no registry to take it from."""
    ctr = [
        str(programs.runtime / "ctr"),
        "--address",
        str(instance.containerd_socket),
        "--namespace",
        "k8s.io",
        "images",
    ]
    readiness.wait_for(
        lambda: readiness.accepts(instance.containerd_socket),
        what="containerd's start",
        check=lambda: supervisor.check("containerd"),
    )
    if image in run(*ctr, "list", "--quiet").split():
        return
    archive = instance.state / "pause.tar"
    archive.write_bytes(oci.pause_archive(programs.pause.read_bytes()))
    run(*ctr, "import", archive)
    archive.unlink()
