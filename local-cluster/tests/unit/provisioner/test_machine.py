"""Any life: people, crashes, reboots and stale pictures in any order, and what must hold whatever happens.

hypothesis makes up the order. Each volume has an owner who remembers what became of the claim; the invariants compare
that with the disk.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from local_cluster.provisioner.kube import ApiError, Kind
from local_cluster.provisioner.layout import Stage
from local_cluster.provisioner.names import ClaimUID, VolumeName, volume_name
from unit.provisioner.fakes import Crash, World

UIDS = st.sampled_from(["u1", "u2", "u3"])

Fault = tuple[str, str]
FAULTS = st.one_of(
    st.just(("none", "")),
    st.tuples(st.just("crash"), st.integers(0, 12).map(str)),
    st.tuples(st.just("api"), st.sampled_from(["create", "get", "merge", "delete"])),
    st.just(("disk", "the disk is on fire")),
)
""" What may go wrong during a few passes. """


class Life(RuleBasedStateMachine):
    """A provisioner among people, power cuts and a forgetful API server."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world: World
        self.used: set[str] = set()
        """ UIDs are never used again. """
        self.kept: set[VolumeName] = set()
        """ Volumes whose owner said Retain. """

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run it; a crash ends the process, and a new one starts."""
        try:
            self.loop.run_until_complete(work)
        except Crash:
            self.world.start()
            self.loop.run_until_complete(self.world.controller.restore())

    def teardown(self) -> None:
        """Let things calm down: then everything is in its place, and nothing more is written."""
        self.do(self.world.settle(passes=30))
        before = self.world.fuse.passed
        self.do(self.world.settle())
        state = self.world.state()
        self.loop.close()

        assert before == self.world.fuse.passed
        for uid in self.claims():
            name = volume_name(ClaimUID(uid))
            assert state["files"][name][0] is Stage.IN_USE
            assert state["volumes"][name] == "Bound"
            assert name in state["mounted"]
        in_use = {name for name, (stage, _) in state["files"].items() if stage is not Stage.RETAINED}
        assert in_use >= set(state["mounted"])
        assert in_use == set(state["volumes"])

    def claims(self) -> set[str]:
        """The UIDs of the claims that are there."""
        return set(self.world.kube.of(Kind.CLAIMS))

    @initialize()
    def begin(self) -> None:
        """A cluster with our class and a first claim."""
        self.world = World()
        self.loop.run_until_complete(self.world.storage_class())
        self.claim("u1")

    @rule(uid=UIDS)
    def claim(self, uid: str) -> None:
        """Somebody asks for a volume."""
        if uid not in self.used:
            self.used.add(uid)
            self.do(self.world.claim(uid))

    @rule(uid=UIDS)
    def delete_claim(self, uid: str) -> None:
        """Somebody needs it no longer."""
        if uid in self.claims():
            self.do(self.world.delete_claim(uid))

    @rule(uid=UIDS)
    def retain(self, uid: str) -> None:
        """Somebody wants the data to outlive its claim."""
        name = volume_name(ClaimUID(uid))
        if self.world.kube.of(Kind.VOLUMES).get(name, {}).get("status") == {"phase": "Bound"}:
            self.kept.add(name)
            self.do(self.world.change(Kind.VOLUMES, name, spec={"persistentVolumeReclaimPolicy": "Retain"}))

    @rule(uid=UIDS)
    def delete_volume(self, uid: str) -> None:
        """Somebody deletes the PersistentVolume itself; Kubernetes protects it as long as it is bound."""
        name = volume_name(ClaimUID(uid))
        if name in self.world.kube.of(Kind.VOLUMES):
            self.do(self.world.change(Kind.VOLUMES, name, metadata={"deletionTimestamp": "2026-01-02T03:04:05Z"}))

    @rule(passes=st.integers(1, 3), fault=FAULTS)
    def work(self, passes: int, fault: Fault) -> None:
        """The provisioner looks at everything and acts; something may be broken meanwhile."""
        world, (kind, detail) = self.world, fault
        world.fuse.remaining = int(detail) if kind == "crash" else None
        world.disk.broken = detail if kind == "disk" else ""
        world.kube.failures = {detail: ApiError("away")} if kind == "api" else {}
        with contextlib.suppress(AssertionError):  # it need not be done after so few
            self.do(world.settle(passes=passes))
        world.fuse.remaining, world.disk.broken, world.kube.failures = None, "", {}

    @rule()
    def work_with_an_old_picture(self) -> None:
        """A pass on what it saw last."""
        self.do(self.world.controller.once())

    @rule(kind=st.sampled_from([Kind.VOLUMES, Kind.CLASSES]))
    def lose_sight(self, kind: Kind) -> None:
        """Events were lost: the mirror misses objects that are there."""
        self.world.controller._mirrors[kind].items = {}

    @rule()
    def reboot(self) -> None:
        """Mounts are gone, the process is new."""
        self.world.disk.mounted.clear()
        self.world.start()
        self.do(self.world.controller.restore())

    @invariant()
    def no_data_is_lost(self) -> None:
        """A claim that has a volume has its file, and not among the retained, whatever happened."""
        for uid, raw in self.world.kube.of(Kind.CLAIMS).items():
            if raw["spec"].get("volumeName"):
                assert self.world.disk.files[volume_name(ClaimUID(uid))].stage is not Stage.RETAINED

    @invariant()
    def retained_data_is_kept(self) -> None:
        """Where an owner said Retain, the file is there for ever."""
        assert self.kept <= set(self.world.disk.files)


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=20, deadline=None)
TestAnyLife = Life.TestCase
