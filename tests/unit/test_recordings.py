"""What an earlier version wrote means the same today: objects in clusters, profiles on volumes.

The recordings lie in tests/recordings, which says what they are. Code may be renamed at will; what fails here is stored
in somebody's cluster or on somebody's volume.
"""

import copy
import json
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from session_protocol.answers import read_state
from session_protocol.phone_number_id import phone_number_id
from session_protocol.quantities import parse_quantity
from session_protocol.times import format_time, parse_time
from session_protocol.vocabulary import TokenScope
from session_runner.monitoring.state_file import StateFile
from session_runner.profile.saved_state import read_saved_state, write_saved_state
from session_runner.states.hold import Start
from unit.recorded_cluster import CLUSTER, Settled
from whatsapp_operator.api.constants import TEMPLATE_HASH_ANNOTATION
from whatsapp_operator.api.quota import WhatsAppSessionQuota
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.calls import Call, FailedCall, Verb
from whatsapp_operator.core.decision import Decision, DeletePod, PatchNetworkPolicy, PatchPVC, ReadClaim
from whatsapp_operator.core.model import (
    AssumedReservation,
    Defaults,
    ExistingClaim,
    KeyID,
    Observation,
    PodUID,
    Refusal,
    RunnerReport,
    Seal,
    SealedKind,
    SessionUID,
)
from whatsapp_operator.core.objects.facts import pod_facts, pvc_facts, service_facts
from whatsapp_operator.core.objects.tokens import token
from whatsapp_operator.core.quota.admit import admit
from whatsapp_operator.core.quota.reservations import quota_status
from whatsapp_operator.core.session.decide import decide
from whatsapp_operator.core.writes.merge_patch import merge_patch
from whatsapp_operator.runtime.process import keys
from whatsapp_operator.runtime.runners.poller import report_of

Json = dict[str, Any]

RECORDINGS = Path(__file__).parents[1] / "recordings"
PROFILES = sorted(path.stem for path in (RECORDINGS / "profiles").glob("*.json") if path.stem != "meanings")
SETTINGS = Defaults(runner_image="registry.example/runner:1", key_id=KeyID("key-1"))
""" Those of the operator that made the recordings. """
CALLS = {
    "CreatePod": Call(Verb.CREATE, "Pod", "sales"),
    "PatchClaim": Call(Verb.PATCH, "PersistentVolumeClaim", "sales-profile"),
}
""" By the names that refused actions had then. """


def recorded(name: str) -> Any:
    """Return one of the recordings."""
    return json.loads((RECORDINGS / name).read_text())


DECISIONS = recorded("decisions.json")
ROUNDS = recorded("rounds.json")


def whole(value: Any) -> Any:
    """Put the pods' specs back, which are recorded once for all pods that have them."""
    if isinstance(value, list):
        return [whole(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "recorded" in value:
        return DECISIONS["podSpecs"][value["recorded"]] | {k: v for k, v in value.items() if k != "recorded"}
    return {name: whole(item) for name, item in value.items()}


def moment(text: str | None) -> datetime | None:
    """Return a recorded time."""
    return None if text is None else parse_time(text)


def granted(case: Json, uid: str) -> AssumedReservation:
    """Return a recorded grant."""
    return AssumedReservation(
        session_uid=SessionUID(uid),
        quota_name=case["quota"],
        memory=case["memory"],
        reserved_at=parse_time(case["time"]),
    )


def last_report(case: Json) -> RunnerReport | None:
    """Return what the operator remembers of the runner's recorded answer."""
    if case["answer"] is None:
        return None
    answer = read_state(json.dumps(case["answer"]).encode())
    session_uid, pod_uid = SessionUID(answer.session_uid), PodUID(answer.pod_uid)
    return report_of(answer, session_uid=session_uid, pod_uid=pod_uid, received=parse_time(case["heard"]))


def released(session: WhatsAppSession) -> ExistingClaim | None:
    """Return a session's own claim as it is after an upgrade: its owner has labelled it."""
    name = session.spec.profile.existing_claim if not session.problems else None
    return None if name is None else ExistingClaim(name=name, exists=True, released=True)


def observed(case: Json) -> Observation:
    """Return what today's operator sees in what was there."""
    session = WhatsAppSession.parse(case["session"])
    blocked, refused = case["blocked"], case["refused"]
    return Observation(
        session=session,
        now=parse_time(case["now"]),
        pods=tuple(pod_facts(pod) for pod in case["pods"]),
        pods_since_status=tuple(PodUID(uid) for uid in case["podsSinceStatus"]),
        pvc=pvc_facts(case["claim"], session=session) if case["claim"] else None,
        existing_claim=released(session),
        service=service_facts(case["service"]) if case["service"] else None,
        report=last_report(case),
        polling_since=moment(case["listeningSince"]),
        assumed=granted(case["granted"], session.metadata.uid) if case["granted"] else None,
        refusal=Refusal(reason=refused["reason"], message=refused["message"]) if refused else None,
        failed_calls=(
            FailedCall(
                call=CALLS[blocked["action"]],
                reason=blocked["reason"],
                message=blocked["message"],
                refused=True,
                retry_in=max(timedelta(), parse_time(blocked["retryAt"]) - parse_time(case["now"])),
            ),
        )
        if blocked
        else (),
        recovery_paused=case["paused"],
    )


def written(decision: Decision, session: WhatsAppSession) -> Json:
    """Return a decision as it is recorded: by what of it leaves the process."""
    deletes, patches, creates = [], [], []
    for action in decision.actions:
        if isinstance(action, DeletePod):
            deletes.append({"name": action.name, "uid": action.uid})
        elif isinstance(action, PatchPVC | PatchNetworkPolicy):
            patches.append({"name": action.name, "patch": dict(action.patch)})
        elif not isinstance(action, ReadClaim):
            creates.append(action.manifest)
    return {
        "creates": creates,
        "patches": patches,
        "deletes": deletes,
        "events": [
            {"type": event.type, "action": event.action, "reason": event.reason, "message": event.message}
            for event in decision.events
        ],
        "statusFirst": decision.commit,
        "wantsAdmission": decision.wants_admission,
        "polls": decision.poll,
        "write": merge_patch(session.status.to_dict(), decision.status.to_dict()),
    }


def with_newer_parts(decision: Json, pods: list[Json], session: Json, *, now: str) -> Json:
    """Return a recorded decision with what pods, failures and states have today and had not then; the template's hash is the same."""
    # The mounted Secret knows the tokens for messaging and reading too, and has another word in its name for that.
    decision["creates"] = json.loads(json.dumps(decision["creates"]).replace("-mounted-", "-digests-"))
    if decision["write"]:
        decision["write"]["phoneNumberID"] = phone_number_id(
            session["metadata"]["namespace"], session["metadata"]["name"]
        )
    if "state" in (decision["write"] or {}):
        decision["write"]["stateTransitionTime"] = now
    for event in decision["events"]:
        if event["action"] == "Linking" and event["reason"] == "NotLinked":  # since when no phone is linked any more
            decision["write"]["link"] = {**decision["write"].get("link", {}), "logoutTime": now}
    failure = ((decision["write"] or {}).get("recovery") or {}).get("lastFailure") or {}
    for pod in pods:
        if pod["metadata"]["uid"] == failure.get("podUID"):
            failure["image"] = pod["spec"]["containers"][0]["image"]
            failure["templateHash"] = pod["metadata"]["annotations"][TEMPLATE_HASH_ANNOTATION]
    for manifest in decision["creates"]:
        for container in manifest["spec"].get("containers", []) if manifest["kind"] == "Pod" else []:
            amounts = container["resources"]
            amounts["requests"] = amounts["requests"] | {"ephemeral-storage": "128Mi"}
            amounts["limits"] = amounts["limits"] | {"ephemeral-storage": "2Gi"}
    return decision


@pytest.mark.parametrize("case", DECISIONS["decisions"], ids=lambda case: case["name"])
def test_the_same_is_decided_about_recorded_objects(case: Json) -> None:
    """Sessions in all kinds of status, their pods, claims and Services: each key, reason, message and hash of a pod."""
    seen = observed(whole(case))

    expected = with_newer_parts(whole(case["decision"]), whole(case["pods"]), case["session"], now=case["now"])
    assert expected == json.loads(json.dumps(written(decide(seen, SETTINGS), seen.session)))


def as_sealed(pod: Mapping[str, Any], _kind: SealedKind) -> Seal | None:
    """Return what the seal of a recorded pod would say: an operator of today seals what it makes."""
    labels, (container,) = pod["metadata"]["labels"], pod["spec"]["containers"]
    return Seal(
        key_id=KeyID(labels["wasession.dev/key-id"]),
        session_uid=SessionUID(labels["wasession.dev/session-uid"]),
        quota=labels["wasession.dev/quota"],
        memory=int(parse_quantity(container["resources"]["limits"]["memory"])),
    )


@pytest.mark.parametrize("case", ROUNDS, ids=lambda case: case["name"])
def test_the_same_are_admitted(case: Json) -> None:
    """Places are counted by the recorded reservations, and by the pods as an operator of today seals them."""
    quotas = [WhatsAppSessionQuota.parse(quota) for quota in case["quotas"]]
    now = parse_time(case["now"])
    result = admit(
        sessions=[WhatsAppSession.parse(session) for session in case["sessions"]],
        pods=case["pods"],
        quotas=quotas,
        assumed_reservations=[granted(reservation, reservation["sessionUID"]) for reservation in case["granted"]],
        read_seal=as_sealed,
        now=now,
    )

    assert case["round"] == {
        "granted": [
            {"sessionUID": reservation.session_uid, "quota": reservation.quota_name, "memory": reservation.memory}
            for reservation in result.assumed_reservations
        ],
        "refused": {
            uid: {"reason": refusal.reason, "message": refusal.message} for uid, refusal in result.refusals.items()
        },
        "withdrawn": sorted(result.withdrawn),
        "statuses": {
            quota.name: quota_status(quota, usage=result.usage[quota.name], now=now).to_dict() for quota in quotas
        },
    }


async def test_an_operator_of_today_changes_nothing_in_a_recorded_cluster() -> None:
    """A conflict stays away, the suspended stay suspended, nobody is restarted, and no status is written anew."""
    settled = await Settled.after(minutes=3)

    assert ([], CLUSTER["objects"]) == (settled.writes, settled.objects)


async def test_reworded_messages_cost_one_write_of_each_status() -> None:
    """An upgrade that says things differently rewrites the messages, and neither restarts nor refuses anybody.

    What is new in a status comes with that write.
    """
    older = copy.deepcopy(CLUSTER["objects"])
    for condition in _conditions(older):
        condition["message"] = "As an older operator said it."

    settled = await Settled.after(minutes=3, objects=older)

    assert all(write.startswith("PATCH ") and write.endswith("/status") for write in settled.writes), settled.writes
    assert len(set(settled.writes)) == len(settled.writes)
    # Without a report of a runner nothing new is known about the link.
    assert {"Linked"} == {found["type"] for found in _conditions(settled.objects) if "older" in found["message"]}
    now = settled.objects
    for condition in _conditions(now):
        condition["message"] = "As an older operator said it."
    for session in now["whatsappsessions"]:
        named = session["metadata"]["namespace"], session["metadata"]["name"]
        assert phone_number_id(*named) == session["status"].pop("phoneNumberID")
    assert _without_versions(older) == _without_versions(now)


def _conditions(objects: Json) -> list[Json]:
    """Return the conditions of sessions and quotas."""
    kinds = ("whatsappsessions", "whatsappsessionquotas")
    return [found for kind in kinds for obj in objects[kind] for found in obj["status"]["conditions"]]


def _without_versions(objects: Json) -> Json:
    return {
        plural: [{**obj, "metadata": {**obj["metadata"], "resourceVersion": ""}} for obj in listed]
        for plural, listed in objects.items()
    }


def test_the_recorded_tokens_are_still_made() -> None:
    """Pods keep the tokens that they were started with, so the key in the Secret must give the same ones."""
    secrets = {secret["metadata"]["name"]: secret for secret in CLUSTER["objects"]["secrets"]}
    key = keys._parsed(secrets["keys"]["data"], where="ops/keys")
    of_pods = [secret for name, secret in secrets.items() if name != "keys"]

    assert len(of_pods) > 3
    for secret in of_pods:
        labels = secret["metadata"]["labels"]
        uid, key_id = SessionUID(labels["wasession.dev/session-uid"]), KeyID(labels["wasession.dev/key-id"])
        tokens = {
            str(scope): token(key.by_id[key_id], session_uid=uid, scope=scope, renewal=None) for scope in TokenScope
        }
        assert secret["data"] == {scope: keys._encode(text.encode()) for scope, text in tokens.items()}


def meaning(path: Path) -> Json:
    """Return what a runner of today reads from a profile when its pod is made again by nobody's request."""
    saved = read_saved_state(path)
    known = saved.start or Start(session_uid="")
    repeated = StateFile(path, clock=lambda: parse_time("2026-11-23T00:00:00Z"), start=known)
    logout_hold = repeated.begin()
    history = repeated.history(now=0)
    return {
        "linkedTime": format_time(saved.linked_time) if saved.linked_time else None,
        "durableTime": format_time(saved.durable_time) if saved.durable_time else None,
        "wasLinked": history.linked,
        "logoutWaitsBecause": history.logout_hold,
        "opensThePage": logout_hold is None,
        "says": None
        if logout_hold is None
        else {"state": logout_hold.state, "reason": logout_hold.reason, "message": logout_hold.message},
        "honouredRequest": saved.relink_request,
        "nextLogoutLinksAgain": history.granted,
        "session": known.session_uid,
        "restart": known.restart,
        "relink": known.relink,
        "resumed": known.resumed,
    }


@pytest.mark.parametrize("name", PROFILES)
def test_a_recorded_profile_means_the_same(name: str, tmp_path: Path) -> None:
    """A conflict, a ban, a logout that waits: the next pod's runner leaves the page closed and says it again."""
    shutil.copy(RECORDINGS / "profiles" / f"{name}.json", tmp_path / "runner.json")

    assert recorded("profiles/meanings.json")[name] == meaning(tmp_path / "runner.json")


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_written_as_it_was(name: str, tmp_path: Path) -> None:
    """Under the same keys, so that a runner of before reads it after a rollback."""
    path = RECORDINGS / "profiles" / f"{name}.json"

    write_saved_state(tmp_path / "runner.json", read_saved_state(path))

    assert path.read_text() == (tmp_path / "runner.json").read_text()
