"""A stop is remembered twice: by the operator in status, by the runner on the profile. One ends when the other does.

The runner's half is the real one (`session_runner.states.hold`), started with the environment of the pods that the
operator makes. So a pod that is made in ignorance of a conflict does not take the session over, and one that a person
asked for does not refuse to.
"""

import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.settings import read_settings
from session_runner.states.hold import HeldState, Start, hold_after
from unit.core.fake_cluster import FakeCluster, running
from whatsapp_operator.core.session.holds import stored_hold

pytestmark = pytest.mark.slow

REPLACED = "The same login is connected elsewhere."
SUSPENDED = {"operatingMode": "Suspended"}


@dataclass
class Profile:
    """What lies on the session's claim, and who opened it."""

    cluster: FakeCluster
    hold: HeldState | None = None
    start: Start | None = None
    opened: dict[str, bool] = field(default_factory=dict)
    """ By pod UID: whether its runner opened the page. """

    def begin(self) -> None:
        """The runner of the session's pod starts, if it has not."""
        pod = self.cluster.pods.get("sales")
        if pod is None or pod["status"]["phase"] != "Running" or pod["metadata"]["uid"] in self.opened:
            return
        start = read_settings(_environment(pod)).start
        if start.is_asked_for(self.start):
            self.hold = None
        self.start = start.after(self.start)
        self.opened[pod["metadata"]["uid"]] = self.hold is None
        if self.hold is not None:
            self.cluster.say(self.hold.state, reason=self.hold.reason)

    def say(self, state: RunnerState, reason: StateReason, *, received: bool) -> None:
        """The runner of the session's pod says something."""
        self.hold = hold_after(self.hold, state=state, reason=reason, message=REPLACED)
        if received:
            self.cluster.say(state, reason=reason)
            self.cluster.look()

    def opened_last(self) -> bool:
        """Whether the newest runner opened the page."""
        return list(self.opened.values())[-1]


def _environment(pod: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry.get("value", "pod") for entry in pod["spec"]["containers"][0]["env"]}


def connected_profile() -> Profile:
    """Return the profile of a session that runs and is connected."""
    profile = Profile(running())
    profile.begin()
    return profile


def settle(profile: Profile) -> None:
    """Let operator, kubelet and runners work until nothing changes."""
    for _ in range(3):
        profile.cluster.settle(passes=1)
        profile.begin()
        profile.cluster.resync()


def unreceived_conflict() -> Profile:
    """Return a profile whose runner said Conflict while nobody listened, and whose pod is lost."""
    profile = connected_profile()
    profile.say(RunnerState.CONFLICT, StateReason.REPLACED, received=False)
    profile.cluster.gone()
    profile.cluster.restart_operator()
    return profile


def test_a_conflict_that_nobody_received_is_reported_by_the_next_runner() -> None:
    """The operator makes a pod, for it knows no better; the page stays closed, and the session is Stalled."""
    profile = unreceived_conflict()
    settle(profile)

    assert [True, False] == list(profile.opened.values())
    assert ("True", "Conflict") == profile.cluster.says("Stalled")
    assert ("True", "Conflict") == profile.cluster.says("Conflict")
    assert "Conflict" == profile.cluster.status().state


def test_it_is_reported_again_by_every_pod_until_a_person_asks() -> None:
    """Losses, edits and operators come and go; then a request opens the page."""
    profile = unreceived_conflict()
    for _ in range(2):
        settle(profile)
        profile.cluster.gone()
        profile.cluster.sessions["sales"]["status"]["conditions"] = []  # even if the operator forgot it all
        profile.cluster.restart_operator()
    assert not any(list(profile.opened.values())[1:])

    profile.cluster.annotate(restart_at="now")
    settle(profile)
    assert profile.opened_last()
    assert ("False", "NotStalled") == profile.cluster.says("Stalled")


def test_a_suspension_that_was_complete_ends_both() -> None:
    """Put to rest until the pod was gone, and woken."""
    profile = unreceived_conflict()
    settle(profile)
    profile.cluster.apply(spec=SUSPENDED)
    settle(profile)
    profile.cluster.tick(5)
    profile.cluster.apply(spec={})
    settle(profile)

    assert profile.opened_last()
    assert ("False", "NotStalled") == profile.cluster.says("Stalled")


def test_a_suspension_that_was_taken_back_before_the_pod_was_gone_ends_neither() -> None:
    """Nothing of it stands in status; the person is told how to go on."""
    profile = connected_profile()
    profile.say(RunnerState.CONFLICT, StateReason.REPLACED, received=True)
    profile.cluster.apply(spec=SUSPENDED)
    profile.cluster.look()
    assert ("True", "Conflict") == profile.cluster.says("Stalled")
    profile.cluster.apply(spec={})
    settle(profile)

    assert {} == profile.cluster.pods
    assert ("True", "Conflict") == profile.cluster.says("Stalled")
    assert profile.hold is not None


def test_a_request_that_is_taken_away_and_put_back_ends_nothing() -> None:
    """Only a value that was not handled yet is a request."""
    profile = connected_profile()
    profile.cluster.annotate(restart_at="noon")
    settle(profile)
    profile.cluster.sessions["sales"]["metadata"]["annotations"].clear()
    settle(profile)
    profile.say(RunnerState.CONFLICT, StateReason.REPLACED, received=False)
    profile.cluster.gone()
    settle(profile)
    assert [True, True, False] == list(profile.opened.values())

    profile.cluster.gone()
    profile.cluster.annotate(restart_at="noon")
    settle(profile)
    assert not profile.opened_last()
    assert ("True", "Conflict") == profile.cluster.says("Stalled")


def test_a_request_whose_pod_nobody_wrote_down_is_not_asked_again_by_being_taken_away() -> None:
    """The operator crashed after making the pod; its runner took the session, lost it again, and the pod is gone."""
    profile = connected_profile()
    profile.cluster.annotate(restart_at="noon")
    profile.cluster.look()
    profile.cluster.gone()
    profile.cluster.look()
    profile.cluster.run()
    profile.begin()
    assert profile.opened_last()
    profile.say(RunnerState.CONFLICT, StateReason.REPLACED, received=False)
    profile.cluster.gone()
    profile.cluster.sessions["sales"]["metadata"]["annotations"].clear()
    profile.cluster.sessions["sales"]["status"].pop("handledRequests", None)
    profile.cluster.restart_operator()
    settle(profile)

    assert not profile.opened_last()
    assert ("True", "Conflict") == profile.cluster.says("Stalled")


def test_a_session_that_is_deleted_and_applied_anew_begins_anew() -> None:
    """Its claim stays, its stop went with it: who applies a session wants it to start."""
    profile = unreceived_conflict()
    profile.cluster.delete_session()
    profile.cluster.apply()
    settle(profile)

    assert profile.opened_last()


class History:
    """One session through everything that may happen to a stop, and what people asked for since its page was opened."""

    def __init__(self) -> None:
        self.profile = connected_profile()
        self.cluster = self.profile.cluster
        self.requests = 0
        self.request_waits = False
        self.was_suspended = False

    def apply(self, act: str) -> None:
        """Let one thing happen."""
        getattr(self, act)()
        self.was_suspended |= self.cluster.says("Suspended")[0] == "True"
        self.cluster.tick(2)

    def conflict(self) -> None:
        """The runner reports Conflict, and somebody listens."""
        self._say(RunnerState.CONFLICT, StateReason.REPLACED, received=True)

    def unreceived(self) -> None:
        """The runner reports Conflict to nobody."""
        self._say(RunnerState.CONFLICT, StateReason.REPLACED, received=False)

    def expired(self) -> None:
        """The runner has shown all QR codes, and somebody listens."""
        self._say(RunnerState.LINK_EXPIRED, StateReason.ROUNDS_USED_UP, received=True)

    def unreceived_expiry(self) -> None:
        """The runner has shown all QR codes, and nobody knows."""
        self._say(RunnerState.LINK_EXPIRED, StateReason.ROUNDS_USED_UP, received=False)

    def _say(self, state: RunnerState, reason: StateReason, *, received: bool) -> None:
        pod = self.cluster.pods.get("sales")
        if pod is not None and self.profile.opened.get(pod["metadata"]["uid"]):
            self.profile.say(state, reason, received=received)

    def lost(self) -> None:
        """The pod's object is gone."""
        if "sales" in self.cluster.pods:
            self.cluster.gone()

    def crashed(self) -> None:
        """The operator is another one."""
        self.cluster.restart_operator()

    def settled(self) -> None:
        """Time enough for all that is under way."""
        before = len(self.profile.opened)
        settle(self.profile)
        if any(list(self.profile.opened.values())[before:]):
            self.request_waits = self.was_suspended = False

    def looked(self) -> None:
        """The operator carries out one decision."""
        self.cluster.look_once()

    def restart(self) -> None:
        """A person asks."""
        self.requests += 1
        self.cluster.annotate(restart_at=f"request {self.requests}")
        self.request_waits = True

    def taken_back(self) -> None:
        """The annotation goes; a pod that carries it stays."""
        self.cluster.sessions["sales"]["metadata"]["annotations"].clear()
        pod: dict[str, Any] = self.cluster.pods.get("sales") or {"metadata": {"annotations": {}}}
        carried = pod["metadata"]["annotations"].get("wasession.dev/restart-at")
        self.request_waits &= carried == f"request {self.requests}"

    def suspended(self) -> None:
        """A person puts the session to rest."""
        self.cluster.apply(spec=SUSPENDED)

    def resumed(self) -> None:
        """A person wakes it."""
        self.cluster.apply(spec={})

    def edited(self) -> None:
        """A person changes something else."""
        spec = self.cluster.sessions["sales"]["spec"]
        self.cluster.apply(spec={**spec, "pod": {"image": f"runner:{self.requests}"}})


ACTS = [
    "conflict",
    "unreceived",
    "expired",
    "unreceived_expiry",
    "lost",
    "crashed",
    "settled",
    "looked",
    "restart",
    "taken_back",
    "suspended",
    "resumed",
]
ACTS += ["edited", "settled"]


@settings(max_examples=int(os.environ.get("STORM_EXAMPLES", "40")), deadline=None)
@given(acts=st.lists(st.sampled_from(ACTS), max_size=14))
def test_whatever_happens_the_two_agree(acts: list[str]) -> None:
    """No page is opened in a hold that nobody answered, and no runner refuses what the operator let go of."""
    history = History()
    for act in acts:
        hold, before = history.profile.hold, len(history.profile.opened)
        answered = history.request_waits or history.was_suspended
        known = stored_hold(history.cluster.status())
        history.apply(act)
        opened = list(history.profile.opened.values())[before:]

        assert hold is None or answered or not any(opened), "a page was opened in a hold that nobody answered"
        assert known is None or all(opened), "the operator made a pod for a person, and its runner refuses"
