"""The table of causes: why a pod ended or does not run, who is to blame, what follows, and what ends it.

It is the one place that decides what counts against a session. What happens outside of it (its node, its page's network,
its image's registry, the cluster's rules) never counts and never needs a person; what happens inside of it (its own
limits, its own image, its page) counts, is backed off, and in the end waits for one. `failure` asks for the first row
that matches; `docs/causes.md` and the label of a metric are made from the same rows.

The kubelet's words are those of Kubernetes 1.31 to 1.37, in its sources under pkg/kubelet: eviction, preemption,
nodeshutdown, lifecycle, cm, images.
"""

from typing import Final

from session_protocol.states import STATES
from session_protocol.vocabulary import ExitCode, RunnerState, StateReason

from whatsapp_operator.core.kubelet import Probe
from whatsapp_operator.core.objects.facts import STARTING_REASONS
from whatsapp_operator.core.recovery.cause import UNINFORMATIVE, Cause, Counted, Evidence, Found, Place, Sign

_RETRY = "the next pod that runs"
_HEALTHY = "a pod that runs for `healthyAfter`"

# --- a pod ended: outside of the session --------------------------------------------------------------------------------

NODE_PRESSURE: Final = Cause(
    name="NodePressure",
    signs=(
        Sign(
            pod_reason=("Evicted",), pod_message=("*node was low on*", "*node had condition*", "*node has condition*")
        ),
    ),
    counted=Counted.NO,
    place=Place.WHILE_REPLACED,
    message="The node ran short of a resource and evicted the pod",
    ends=_RETRY,
)
EPHEMERAL_STORAGE_LIMIT: Final = Cause(
    name="EphemeralStorageLimit",
    signs=(
        Sign(
            pod_reason=("Evicted",),
            pod_message=(
                "*emptydir*exceed*limit*",
                "*ephemeral*storage*exceed*limit*",
                "*exceed*ephemeral*storage*limit*",
            ),
        ),
    ),
    counted=Counted.YES,
    place=Place.UNTIL_STALLED,
    message="The pod used more disk than its own limit allows, and the kubelet evicted it",
    ends="more room in `spec.resources.limits.ephemeralStorage`, or an image that writes less",
)
NODE_LOST: Final = Cause(
    name="NodeLost",
    signs=(
        Sign(pod_reason=("NodeLost",)),
        Sign(exit_reason=("ContainerStatusUnknown", "Unknown")),
        Sign(disruption=("DeletionByPodGC",)),
    ),
    counted=Counted.NO,
    place=Place.WHILE_REPLACED,
    message="The pod was lost with its node, which is gone or was started anew",
    ends=_RETRY,
)
_OUTSIDE: Final = (
    NODE_PRESSURE,
    EPHEMERAL_STORAGE_LIMIT,  # between the two: what is left of the evictions by a kubelet is the node's
    Cause(
        name="Evicted",
        signs=(Sign(pod_reason=("Evicted",)),),
        counted=Counted.NO,
        place=Place.WHILE_REPLACED,
        message="The pod was evicted",
        ends=_RETRY,
    ),
    Cause(
        name="Preempted",
        signs=(Sign(pod_reason=("Preempting",)), Sign(disruption=("Preemption*",))),
        counted=Counted.NO,
        place=Place.WHILE_REPLACED,
        message="A pod of higher priority took this one's place on the node",
        ends=f"{_RETRY}; a priority class, if it happens too often",
    ),
    Cause(
        name="NodeShutdown",
        signs=(Sign(pod_reason=("NodeShutdown", "Shutdown", "Terminated")),),
        counted=Counted.NO,
        place=Place.WHILE_REPLACED,
        message="The node was shut down, or is shutting down",
        ends=_RETRY,
    ),
    NODE_LOST,
    Cause(
        name="Drained",
        signs=(Sign(disruption=("EvictionByEvictionAPI", "DeletionByTaintManager")),),
        counted=Counted.NO,
        place=Place.WHILE_REPLACED,
        message="The pod was asked to leave its node, by a drain or a taint",
        ends=_RETRY,
    ),
    Cause(
        name="Deadline",
        signs=(Sign(pod_reason=("DeadlineExceeded",)),),
        counted=Counted.NO,
        place=Place.WHILE_REPLACED,
        message="The pod has a deadline (activeDeadlineSeconds) that somebody in the cluster set on it, and it was over",
        ends=f"{_RETRY}; a policy without the deadline",
    ),
    Cause(
        name="NodeRefused",
        signs=(
            Sign(
                pod_reason=(
                    "OutOf*", "UnexpectedAdmissionError", "TopologyAffinityError", "SMTAlignmentError",
                    "EmptyPodSharedPoolError", "NodeAffinity", "NodeName", "NodePorts", "InvalidNodeInfo", "AppArmor",
                    "SysctlForbidden", "PodOS*", "PodFeatureUnsupported", "PodLevelResourcesNotSupported",
                    "SupplementalGroupsPolicyNotSupported", "UnexpectedPredicateFailureType", "UnknownReason",
                ),
            ),
            Sign(pod_reason=("*",), never_started=True),
        ),
        counted=Counted.NO,
        place=Place.WHILE_WAITING,
        message="The node refused the pod",
        ends="the next pod that a node takes; tried again after a wait that grows to 5 min",
    ),
    Cause(
        name="Disrupted",
        signs=(Sign(disruption=("*",)),),
        counted=Counted.NO,
        place=Place.WHILE_REPLACED,
        message="The pod was ended by the cluster",
        ends=_RETRY,
    ),
    Cause(
        name="SandboxRefused",
        signs=(Sign(exit_code=(ExitCode.SANDBOX_REFUSED,)),),
        counted=Counted.NO_PACED,
        place=Place.WHILE_WAITING,
        message="The node refuses the browser's own sandbox",
        ends="a node that can, or `BROWSER_SANDBOX` set to false",
    ),
    # Its volume is the session's own, but whoever makes room has done what there is to do: no command is needed after it.
    Cause(
        name="ProfileUnusable",
        signs=(Sign(exit_code=(ExitCode.PROFILE_UNUSABLE,)),),
        counted=Counted.NO_PACED,
        place=Place.WHILE_WAITING,
        message="The profile is not fit for a browser",
        ends="room on the volume, a volume that can be written, a profile that is whole, or the newer image: the message says which",
    ),
    Cause(
        name="PageNotFetched",
        signs=(
            Sign(
                exit_code=(ExitCode.LOAD_FAILED,),
                report=tuple(
                    f"{RunnerState.LOAD_ERROR}/{reason}"
                    for reason in (StateReason.NAVIGATION_FAILED, StateReason.CERTIFICATE_NOT_TRUSTED)
                ),
            ),
            Sign(
                exit_code=(ExitCode.LOAD_FAILED,),
                termination_message=(
                    "*page could not be fetched*", "*certificate is not trusted*", "*page answered with http*",
                ),
            ),
        ),
        counted=Counted.NO_PACED,
        place=Place.WHILE_WAITING,
        message="The page could not be fetched, so the runner, one of an earlier release, ended",
        ends="the network's return; a runner of this release keeps trying in its pod",
    ),
)  # fmt: skip
DELETED_BEFORE_START: Final = Cause(
    name="DeletedBeforeStart",
    counted=Counted.NO,
    place=Place.WHILE_WAITING,
    message="The pod was deleted before it ever ran, and not by the operator",
    ends="the next pod that is left to run; tried again after a wait that grows to 5 min",
)
""" No sign of a pod tells it: the pod is gone. """

# --- a pod ended: inside of the session -----------------------------------------------------------------------------------


_NOBODY_ASKED: Final = {
    ExitCode.STOPPED: "The runner stopped as if it had been asked to, by a signal of which the cluster tells nothing",
    ExitCode.STOP_INCOMPLETE: "The runner was ended by a signal of which the cluster tells nothing, and its browser did not "
    "close in time",
}


def _exit(code: ExitCode) -> Cause:
    return Cause(
        name=code.reason,
        signs=(Sign(exit_code=(code,)),),
        counted=Counted.YES,
        place=Place.UNTIL_STALLED,
        message=_NOBODY_ASKED.get(code, f"{code.meaning[0].upper()}{code.meaning[1:]}"),
        ends=_HEALTHY,
    )


def _probe(probe: Probe) -> Cause:
    return Cause(
        name=f"{probe.capitalize()}ProbeFailed",
        signs=(Sign(probe=probe),),
        counted=Counted.YES,
        place=Place.UNTIL_STALLED,
        message=f"The kubelet ended the container, because its {probe} probe failed",
        ends="a runner that answers in time: more CPU, a node that is less busy",
    )


_INSIDE: Final = (
    *map(_probe, Probe),
    *(_exit(code) for code in ExitCode if code not in (ExitCode.SANDBOX_REFUSED, ExitCode.PROFILE_UNUSABLE)),
    Cause(
        name="OOMKilled",
        signs=(Sign(exit_reason=("OOMKilled",)),),
        counted=Counted.YES,
        place=Place.UNTIL_STALLED,
        message="The container used more memory than its limit allows",
        ends="more in `spec.resources.limits.memory`",
    ),
    Cause(
        name="ImageUnusable",
        signs=(Sign(exit_reason=("StartError", "ContainerCannotRun")), Sign(exit_code=(126, 127))),
        counted=Counted.YES,
        place=Place.UNTIL_STALLED,
        message="The image's program cannot be started",
        ends="another image",
    ),
    Cause(
        name="Signal",
        signs=(Sign(exit_code=tuple(range(129, 160))),),
        counted=Counted.YES,
        place=Place.UNTIL_STALLED,
        message="The runner was ended by a signal",
        ends=_HEALTHY,
    ),
)
REPORTED: Final = {
    state: Cause(
        name=state,
        signs=(Sign(report=(f"{state}/*",)),),
        counted=Counted.YES,
        place=Place.UNTIL_STALLED,
        message=f"The runner has reported {state} for 45 s and has not exited: {traits.meaning}",
        ends=_HEALTHY,
    )
    for state, traits in STATES.items()
    if traits.fatal
}
""" By the runner's state: its pod runs on, with a dead page. """
UNKNOWN: Final = Cause(
    name="Unknown",
    counted=Counted.YES,
    place=Place.UNTIL_STALLED,
    message="The pod ended for a cause that the operator does not know",
    ends=_HEALTHY,
)
""" For what no other row matches. """

# --- a pod does not run yet -------------------------------------------------------------------------------------------------

_WAITING: Final = (
    Cause(
        name="Unschedulable",
        signs=(Sign(unschedulable=True),),
        counted=Counted.WAITS,
        place=Place.WHILE_POD,
        message="No node takes the pod",
        ends="room on a node that fits; the scheduler keeps looking",
    ),
    Cause(
        name="ImageUnavailable",
        signs=(
            Sign(
                waiting_reason=(
                    "ErrImage*", "ImagePullBackOff", "ImageInspectError", "InvalidImageName", "RegistryUnavailable",
                    "SignatureValidationFailed",
                )
            ),
        ),
        counted=Counted.WAITS,
        place=Place.WHILE_POD,
        message="The image cannot be had",
        ends="the registry's return, or another image; the kubelet keeps trying",
    ),
    Cause(
        name="ContainerNotMade",
        signs=(
            Sign(
                waiting_reason=(
                    "CreateContainer*", "RunContainerError", "PreCreateHookError", "PreStartHookError",
                    "PostStartHookError", "CreatePodSandboxError", "ConfigPodSandboxError", "CrashLoopBackOff",
                )
            ),
        ),
        counted=Counted.WAITS,
        place=Place.WHILE_POD,
        message="The node cannot make the container",
        ends="the kubelet, which keeps trying; where it is the sandbox, the pod is replaced after a minute",
    ),
)  # fmt: skip
UNKNOWN_WAIT: Final = Cause(
    name="UnknownWait",
    counted=Counted.WAITS,
    place=Place.WHILE_POD,
    message="The pod does not run, for a cause that the operator does not know",
    ends="the kubelet, which keeps trying",
)


def _refusal(name: str, message: str, ends: str) -> Cause:
    return Cause(name=name, counted=Counted.NO, place=Place.WHILE_WAITING, message=message, ends=ends)


SECCOMP_PROFILE_UNUSABLE: Final = _refusal(
    "SeccompProfileUnusable",
    "For a minute the node could not give the pod its seccomp profile",
    "a node that has it: see [sandbox](design/tenancy.md#sandbox)",
)
USER_NAMESPACE_REFUSED: Final = _refusal(
    "UserNamespaceRefused",
    "For a minute the node could not give the pod a user namespace",
    "a node that can: see [sandbox](design/tenancy.md#sandbox)",
)

ENDS: Final = (*_OUTSIDE, *_INSIDE, UNKNOWN)
WAITS: Final = (*_WAITING, UNKNOWN_WAIT)
CAUSES: Final = (
    *ENDS[:-1],
    *REPORTED.values(),
    UNKNOWN,
    DELETED_BEFORE_START,
    SECCOMP_PROFILE_UNUSABLE,
    USER_NAMESPACE_REFUSED,
    *WAITS,
)
""" All rows. """
NOT_COUNTED: Final = frozenset(cause.name for cause in CAUSES if not cause.is_failure)


def cause_of_end(evidence: Evidence) -> Found:
    """Return why a pod ended."""
    for cause in ENDS:
        if (sign := cause.sign(evidence)) is not None:
            return Found(cause=cause, sign=sign, evidence=evidence)
    return Found(cause=UNKNOWN, sign=None, evidence=evidence)


def cause_of_wait(evidence: Evidence) -> Cause | None:
    """Return why a pod does not run yet; None: it is on its way."""
    for cause in _WAITING:
        if cause.sign(evidence) is not None:
            return cause
    return None if evidence.pod.waiting_reason in STARTING_REASONS else UNKNOWN_WAIT


def facts_of_end(evidence: Evidence) -> str:
    """Return what is known of an end that no row knows, for people."""
    pod = evidence.pod
    facts = {
        "phase": pod.phase,
        "reason": pod.pod_reason,
        "message": pod.pod_message,
        "container": pod.exit_reason if pod.exit_reason not in UNINFORMATIVE else "",
        "exit code": pod.exit_code,
        "its last words": pod.termination_message,
    }
    listed = ", ".join(f"{name} {value}" for name, value in facts.items() if value not in ("", None))
    return f"{UNKNOWN.message} ({listed})."
