"""After two rounds of up and down the machine is as it was: packages and the cache aside, nothing is left.

Everything is compared as a whole, not only what carries the cluster's name. Other clusters, a demo's say, are left out
of the comparison; nothing else may change the machine's network, mounts or services meanwhile.
"""

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster.support import apply, pod, pvc, restricted_namespace, wait_ready, with_pvc
from local_cluster.full import machine, records
from local_cluster.full.cluster import FullCluster
from session_devtools import packages
from session_devtools.build.cache import cache_folder
from session_devtools.cgroups import CgroupTree
from session_devtools.commands import run
from session_devtools.waiting import wait_until

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(240)]

PLACES = ("/dev", "/etc", "/opt", "/run", "/srv", "/usr/libexec", "/var/lib", "/var/log")
# A loop device that was ever used keeps its node in /dev; which are in use is compared on its own.
OTHERS = re.compile(
    r"^(/dev/pts/|/dev/loop|/var/lib/(apt|dpkg|containers)/|/var/log/journal/|/run/(user|containers|crun|lock)/)"
)
OUR_PROGRAMS = {"containerd", "containerd-shim-runc-v2", "kube", "kube-network-policies", "pause", "runc", "busybox"}
SETTLE = 20.0  # seconds for the kernel to take away what nobody holds any more; it takes well under one

Snapshot = dict[str, Any]


class Others:
    """The clusters that are not this test's: a demo's, other tests'. They come and go as they like."""

    def __init__(self) -> None:
        self.mine: list[str] = []

    def names(self) -> list[str]:
        """Those that are there right now."""
        return [name for name in records.names() if name not in self.mine]

    def own(self, entry: object) -> bool:
        """Whether something is one of theirs, by its name."""
        text = f"{entry}/"
        return any(f"wso-{name}" in text or f"/whatsapp-session-operator/{name}/" in text for name in self.names())

    def pids(self) -> set[str]:
        """Their processes."""
        return {str(pid) for name in self.names() for pid in CgroupTree(f"wso-{name}").pids()}


def _mounts() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    mounts = [line.split()[3:5] for line in lines]  # what, and where
    return sorted(" ".join(mount) for mount in mounts if not Path(mount[1]).is_relative_to(cache_folder()))


def _network(others: Others | None = None) -> dict[str, Any]:
    def own(entry: object) -> bool:
        return others is not None and others.own(entry)

    links = json.loads(run("ip", "-json", "address", "show"))
    rules = {name: run(name) for name in ("iptables-save", "ip6tables-save")}
    return {
        "links": sorted(
            (link["ifname"], [each["local"] for each in link["addr_info"]]) for link in links if not own(link)
        ),
        "routes": sorted(route for route in run("ip", "route", "show", "table", "all").splitlines() if not own(route)),
        # Comments hold the time, counters the traffic.
        "rules": {name: re.sub(r"#.*\n|\[\d+:\d+\]", "", text) for name, text in rules.items()},
        "nftables": run("nft", "list", "ruleset"),
    }


def _settings() -> Iterator[tuple[str, str]]:
    for root in ("kernel", "vm", "net/ipv4", "net/bridge", "net/netfilter"):
        # Not `Path.rglob`, which fails when an interface of another test goes while its folder is read.
        for path in sorted(
            Path(folder, name) for folder, _, names in os.walk(Path("/proc/sys", root)) for name in names
        ):
            volatile = {"random", "pty", "ns_last_pid", "nf_conntrack_count"} & {*path.parts}
            try:
                if not volatile and os.access(path, os.R_OK) and path.stat().st_mode & 0o400:
                    text = path.read_text()
                else:
                    continue
            except OSError:  # some may be read by nobody, or are gone
                continue
            yield str(path), text


def _files() -> list[str]:
    found = [
        str(Path(folder, name))
        for place in PLACES
        for folder, folders, names in os.walk(place)
        for name in [*folders, *names]
    ]
    return sorted(path for path in found if not OTHERS.match(path))


def _of_each_process(name: str) -> list[Path]:
    return [folder / name for folder in Path("/proc").iterdir() if folder.name.isdecimal()]


def _processes(theirs: set[str]) -> list[str]:
    found = []
    for path in _of_each_process("exe"):
        with contextlib.suppress(OSError):  # a kernel thread, or it ended
            # Light clusters and the kubectl of other tests are the same programs, and none of a full cluster's.
            arguments = (path.parent / "cmdline").read_bytes()
            other = b"light-cluster-" in arguments or arguments.partition(b"\0")[0].endswith(b"kubectl")
            if path.readlink().name in OUR_PROGRAMS and not other and path.parent.name not in theirs:
                found.append(f"{path.readlink().name} {path.parent.name}")
    return sorted(found)


def _network_namespaces(theirs: set[str]) -> list[str]:
    found = set()
    for path in _of_each_process("ns/net"):
        with contextlib.suppress(OSError):  # its process ended
            if path.parts[2] not in theirs:
                found.add(str(path.readlink()))
    return sorted(found)


def _snapshot(others: Others) -> Snapshot:
    theirs = others.pids()
    found = {
        "mounts": _mounts(),
        "network": _network(others),
        "loop devices": run("losetup", "--list", "--noheadings", "--output", "BACK-FILE").split(),
        "network namespaces": _network_namespaces(theirs),
        # An instance's cgroup is at the top of each tree; deeper ones of others are theirs to make and remove.
        "cgroups": sorted(str(path) for path in Path("/sys/fs/cgroup").glob("*/*") if path.is_dir()),
        "settings": {path: value for path, value in _settings() if not others.own(path)},
        "processes": _processes(theirs),
        "files": _files(),
    }
    return {
        name: [each for each in value if not others.own(each)] if isinstance(value, list) else value
        for name, value in found.items()
    }


def _changed(before: Snapshot, after: Snapshot) -> dict[str, Any]:
    """Only what differs, so that a failure can be read."""
    found: dict[str, Any] = {}
    for name, old in before.items():
        new = after[name]
        if isinstance(old, dict):
            found |= {
                f"{name}: {key}": (old.get(key), new.get(key)) for key in {*old, *new} if old.get(key) != new.get(key)
            }
        elif old != new:
            found[name] = {
                "gone": [each for each in old if each not in new],
                "left": [each for each in new if each not in old],
            }
    return found


@pytest.mark.usefixtures("test_image")  # a package comes with it
def test_two_rounds_leave_the_machine_as_it_was(make_cluster: Callable[..., FullCluster]) -> None:
    """With a pod, its volume and network policies each time: no process, mount, link, rule, cgroup, file or setting is left."""
    packages.ensure(machine.PACKAGES)
    others = Others()
    before = _snapshot(others)
    for _ in range(2):
        cluster = make_cluster("--network-policies")
        others.mine.append(cluster.name)
        namespace = restricted_namespace(cluster)
        apply(cluster, pvc(namespace, "data"), with_pvc(pod(namespace, "one"), "data"))
        wait_ready(cluster, namespace, "one")
        inside = _changed(before, _snapshot(others))
        cluster.down()
    wait_until(
        "the machine is as it was",
        lambda: _changed(before, _snapshot(others)),
        lambda changed: changed == {},
        within=SETTLE,
        every=0.2,
    )

    # A comparison that sees nothing while a cluster runs would see nothing that is left either.
    assert {"cgroups", "files", "loop devices", "network namespaces", "network: links", "processes"} <= set(inside)


def test_a_running_cluster_is_hardly_seen_from_the_host(full_cluster: FullCluster) -> None:
    """Its mounts and firewall rules are in its own namespaces; the host has one link and two folders of it."""
    label, name = full_cluster.instance.label, full_cluster.name
    network = _network()
    outside = [path for path in _files() if f"/{name}" in path]

    assert [line for line in _mounts() if name in line] == []
    assert "KUBE-" not in json.dumps(network["rules"])
    assert [link[0] for link in network["links"] if link[0] == label] == [label]
    own = (f"{full_cluster.instance.run}", f"{full_cluster.instance.state}")
    assert [path for path in outside if not path.startswith(own)] == []
    assert set(own) <= set(outside)


def test_settings_of_the_machine_are_put_back(full_cluster: FullCluster) -> None:
    """What the kubelet changed for the whole machine is noted while a cluster runs."""
    note = full_cluster.instance.state_root / machine.NOTE

    assert set(json.loads(note.read_text())) <= set(machine.SETTINGS)
