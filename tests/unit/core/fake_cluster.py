"""A cluster of dictionaries, a kubelet one can command, and an operator that can be stopped between any two requests.

The tests of decisions play in it: they change the cluster, let the operator look, and compare what stands in the
objects (`fake_objects`). Those are JSON as the API server has it, so that reading them (`facts`) is part of every test.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from session_protocol.times import format_time
from session_protocol.vocabulary import RunnerState
from support.facts import runner_report
from support.merge_patch import merged
from unit.core.fake_objects import FakeObjects
from unit.core.operator_memory import Failure, Memory
from unit.core.raw_objects import Json, is_owned_by
from unit.core.seals import seal, sealed
from whatsapp_operator.api.conditions import Condition, find_condition
from whatsapp_operator.api.constants import NETWORK_POLICY_NAME, SERVICE_NAME
from whatsapp_operator.api.quota import WhatsAppSessionQuota
from whatsapp_operator.api.session import SessionStatus, WhatsAppSession
from whatsapp_operator.core.calls import retry_delay
from whatsapp_operator.core.decision import (
    Action,
    CreateNetworkPolicy,
    CreatePod,
    CreatePVC,
    CreateSecret,
    CreateService,
    Decision,
    DeletePod,
    Event,
    PatchNetworkPolicy,
    PatchPVC,
    ReadClaim,
)
from whatsapp_operator.core.model import Defaults, KeyID, Observation, PodUID, SealedKind, SessionUID
from whatsapp_operator.core.objects.existing_claim import existing_claim
from whatsapp_operator.core.objects.facts import network_policy_facts, pod_facts, pvc_facts, service_facts
from whatsapp_operator.core.quota.admit import AdmissionResult, admit
from whatsapp_operator.core.recovery.health import session_health
from whatsapp_operator.core.session.decide import decide
from whatsapp_operator.core.session.failed_calls import call_of
from whatsapp_operator.core.writes.merge_patch import merge_patch

DEFAULTS = Defaults(runner_image="registry.example/runner:1", key_id=KeyID("key-1"))


class Crash(Exception):
    """The operator's process ended here."""


@dataclass
class FakeCluster(FakeObjects):
    """All objects of one namespace, and the operator's memory."""

    defaults: Defaults = DEFAULTS
    memory: Memory = field(default_factory=Memory)
    pod_security: bool | None = None
    """ Whether the namespace enforces a Pod Security Standard; None: nobody has looked. """
    writes: int = 0
    """ Requests of the operator that changed something. """
    status_writes: int = 0
    done: list[Action] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    refuse: set[type[Action]] = field(default_factory=set)
    """ Kinds of actions that the API server refuses. """
    crash_after: int | None = None
    """ The operator ends after this many further requests. """

    def delete_session(self, name: str = "sales") -> None:
        """Delete a session; the operator hears of it."""
        super().delete_session(name)
        self.memory.created_pods.pop(name, None)

    # --- the runner

    def say(self, state: str = RunnerState.CONNECTED, name: str = "sales", **more: Any) -> None:
        """The runner of the session's pod answers."""
        pod = self.pods[name]
        before = self.memory.reports.get(name)
        fields: Json = {
            "session_uid": SessionUID(self.sessions[name]["metadata"]["uid"]),
            "revision": before.revision + 1 if before else 1,
            "since": self.now,
            "received": self.now,
        }
        self.memory.reports[name] = runner_report(state, pod_uid=pod["metadata"]["uid"], **fields | more)

    def keep_answering(self) -> None:
        """Every runner repeats its last word now."""
        for name, report in self.memory.reports.items():
            pod = self.pods.get(name)
            if pod is not None and pod["metadata"]["uid"] == report.pod_uid and pod["status"]["phase"] == "Running":
                self.memory.reports[name] = replace(report, received=self.now)

    # --- the operator

    @property
    def kinds_done(self) -> list[str]:
        """The kinds of the actions that were carried out, in order."""
        return [type(action).__name__ for action in self.done]

    @property
    def pods_created(self) -> int:
        """How many pods it has made."""
        return sum(isinstance(action, CreatePod) for action in self.done)

    def restart_operator(self) -> None:
        """The operator's process is another one."""
        self.memory = Memory()
        self.crash_after = None

    def session(self, name: str = "sales") -> WhatsAppSession:
        """Return a session as the operator reads it."""
        return WhatsAppSession.parse(self.sessions[name])

    def status(self, name: str = "sales") -> SessionStatus:
        """Return a session's stored status."""
        return self.session(name).status

    def reserved_memory(self, name: str = "sales") -> Decimal | None:
        """Return the bytes of a session's stored reservation, or None without one."""
        admission = self.status(name).admission
        return None if admission is None else admission.memory

    def condition(self, kind: str, name: str = "sales") -> Condition:
        """Return a stored condition; it must be there."""
        found = find_condition(self.status(name).conditions, kind)
        assert found is not None, f"{name} has no condition {kind}"
        return found

    def says(self, kind: str, name: str = "sales") -> tuple[str, str]:
        """Return a stored condition's status and reason."""
        condition = self.condition(kind, name)
        return str(condition.status), condition.reason

    def observe(self, name: str = "sales") -> Observation:
        """Return what the operator sees of a session."""
        session = self.session(name)
        uid = SessionUID(session.metadata.uid)
        pods = [pod for key, pod in self.pods.items() if key == name or is_owned_by(pod, uid)]
        current = [PodUID(pod["metadata"]["uid"]) for pod in pods]
        owned = [pod["metadata"]["uid"] for pod in pods if is_owned_by(pod, uid)]
        if owned and name in self.memory.reports and self.memory.reports[name].pod_uid not in owned:
            del self.memory.reports[name]
        named = session.spec.profile.existing_claim or "" if not session.problems else ""
        renewed = self.memory.tokens_renewed.get(name)
        pvc, service = self.pvcs.get(f"{name}-profile"), self.services.get(SERVICE_NAME)
        policy = self.policies.get(NETWORK_POLICY_NAME)
        return Observation(
            session=session,
            now=self.now,
            pods=tuple(pod_facts(pod, seal=sealed(pod, SealedKind.POD)) for pod in pods),
            pods_since_status=self.memory.pods_since(name, session.status.pod_uid),
            unstarted=self.memory.unstarted(pods, now=self.now),
            probe_kill=self.memory.probe_kills.get(name),
            pvc=pvc_facts(pvc, session=session) if pvc is not None else None,
            existing_claim=existing_claim(named, self.pvcs.get(named)) if named in self.memory.claims_read else None,
            service=service_facts(service) if service is not None else None,
            network_policy=network_policy_facts(policy) if policy is not None else None,
            report=self.memory.reports.get(name),
            polling_since=next((self.memory.listening[uid] for uid in current if uid in self.memory.listening), None),
            assumed=self.memory.assumed.get(uid),
            refusal=self.memory.refusals.get(uid),
            failed_calls=self.memory.failed_calls(name, now=self.now),
            storage_limited=not session.problems
            and "storage" in self.quotas.get(session.spec.quota_name, {}).get("spec", {}),
            recovery_paused=self.memory.pauses.message(uid),
            pod_security=self.pod_security,
            secrets_made=self.memory.secrets_made.get(name, frozenset()),
            tokens_made=self.memory.tokens_made.get(name),
            secrets_checked=self.memory.secrets_checked.get(name),
            tokens_renewed=renewed[1] if renewed is not None and renewed[0] in current else None,
            takes_settings=self.memory.takes_settings if current else None,
            rejection=self.memory.rejection,
        )

    def decide(self, name: str = "sales") -> Decision:
        """Return the decision about a session as it is now."""
        return decide(self.observe(name), self.defaults)

    def look(self, name: str = "sales") -> Decision:
        """Let the operator look at a session once: decide, write, act, until nothing is left to do."""
        for _ in range(16):
            before = self.status_writes
            decision = self.look_once(name)
            if not decision.actions and self.status_writes == before:
                self.memory.note(self.observe(name), decision)
                return decision
        raise AssertionError(f"{name} does not come to rest")

    def look_once(self, name: str = "sales") -> Decision:
        """Let the operator carry out one decision: first the status, then the actions, up to the first refused one."""
        observation = self.observe(name)
        decision = decide(observation, self.defaults)
        if decision.poll is not None:
            self.memory.listening.setdefault(decision.poll, self.now)
        self._write(name, decision)
        for action in decision.actions:
            if isinstance(action, ReadClaim):
                self.memory.claims_read.add(action.name)
            elif not self._act(action, name):
                break
        else:
            if decision.makes_tokens is not None:
                self.memory.tokens_made[name] = decision.makes_tokens.together(self.memory.tokens_made.get(name))
            self.memory.note_secrets(observation, decision)
        failed = self.memory.failed.get(name, {})
        self.memory.failed[name] = {call: found for call, found in failed.items() if call in decision.wanted_calls}
        return decision

    def admission_round(self) -> AdmissionResult:
        """Let the operator make one admission round."""
        result = admit(
            sessions=[self.session(name) for name in self.sessions],
            pods=list(self.pods.values()),
            quotas=[WhatsAppSessionQuota.parse(quota) for quota in self.quotas.values()],
            assumed_reservations=list(self.memory.assumed.values()),
            pvcs=list(self.pvcs.values()),
            read_seal=sealed,
            declined=frozenset(self.memory.declined),
            pod_start_timeout=self.defaults.pod_start_timeout,
            now=self.now,
        )
        for uid in result.withdrawn:
            del self.memory.assumed[uid]
        self.memory.assumed |= {reservation.session_uid: reservation for reservation in result.assumed_reservations}
        self.memory.refusals = result.refusals
        return result

    def resync(self) -> None:
        """Let the operator look at everything once."""
        found = {
            SessionUID(session["metadata"]["uid"]): session_health(session, runner_image=self.defaults.runner_image)
            for session in self.sessions.values()
        }
        self.memory.update_pauses(found, now=self.now)
        for name in list(self.sessions):
            self.look(name)
        self.admission_round()
        for name in list(self.sessions):
            self.look(name)

    def resync_until_reserved(self, name: str = "sales") -> None:
        """Let the operator work until the place is in status and the pod is not made yet."""
        self.memory.note(self.observe(name), self.decide(name))
        self.admission_round()
        for _ in range(16):
            if self.status(name).admission is not None:
                return
            self.look_once(name)
        raise AssertionError(f"{name} got no place")

    def settle(self, *, passes: int = 3) -> None:
        """Let the operator and the kubelet work until all that can run runs."""
        for _ in range(passes):
            self.resync()
            for name, pod in list(self.pods.items()):
                if pod["metadata"].get("deletionTimestamp"):
                    self.gone(name)
                elif pod["status"]["phase"] == "Pending":
                    self.run(name)
        self.resync()

    def _write(self, name: str, decision: Decision) -> None:
        if not decision.commit and decision.delay_status_until is not None and decision.delay_status_until > self.now:
            return
        stored = self.status(name).to_dict()
        patch = merge_patch(stored, decision.status.to_dict())
        if not patch:
            return
        self._request()
        self.status_writes += 1
        self.sessions[name]["status"] = decision.status.to_dict()
        self.events.extend(decision.events)
        if decision.status.admission is not None:
            self.memory.assumed.pop(SessionUID(self.sessions[name]["metadata"]["uid"]), None)

    def _request(self) -> None:
        if self.crash_after is not None:
            if self.crash_after == 0:
                raise Crash
            self.crash_after -= 1
        self.writes += 1

    def _act(self, action: Action, name: str) -> bool:
        if type(action) in self.refuse:
            known = self.memory.failed.setdefault(name, {}).setdefault(call_of(action), Failure(self.now, self.now, 0))
            known.times += 1
            known.retry = self.now + timedelta(seconds=retry_delay(known.times))
            return False
        self._request()
        self.done.append(action)
        self.memory.failed.get(name, {}).pop(call_of(action), None)
        match action:
            case CreatePod():
                manifest = self._created(
                    self.pods, seal(action.manifest, action.seal) if action.seal else action.manifest
                )
                manifest.setdefault("status", {"phase": "Pending"})
                self.memory.created_pods.setdefault(name, []).append(PodUID(manifest["metadata"]["uid"]))
            case CreatePVC():
                manifest = seal(action.manifest, action.seal, kind=SealedKind.PVC) if action.seal else action.manifest
                self._created(self.pvcs, manifest)
            case CreateService() | CreateNetworkPolicy() | CreateSecret():
                self._created(self._objects_of(action), action.manifest)
                if isinstance(action, CreateSecret):
                    made = self.memory.secrets_made.get(name, frozenset())
                    self.memory.secrets_made[name] = made | {action.manifest["metadata"]["name"]}
            case PatchPVC() | PatchNetworkPolicy():
                self._patched(self._objects_of(action), action)
            case DeletePod():
                pod = self.pods.get(action.name)
                if not action.clears_loss:
                    self.memory.settled.add(action.uid)
                if pod is not None and pod["metadata"]["uid"] == action.uid:
                    self._delete(pod)
        return True

    def _objects_of(self, action: Action) -> dict[str, Json]:
        kinds: dict[type[Action], dict[str, Json]] = {
            PatchPVC: self.pvcs,
            CreateService: self.services,
            CreateNetworkPolicy: self.policies,
            PatchNetworkPolicy: self.policies,
            CreateSecret: self.secrets,
        }
        return kinds[type(action)]

    def _patched(self, objects: dict[str, Json], action: PatchPVC | PatchNetworkPolicy) -> None:
        patch, obj = copy.deepcopy(dict(action.patch)), objects[action.name]
        assert patch["metadata"].pop("resourceVersion") == obj["metadata"]["resourceVersion"]
        obj |= merged(obj, patch)
        if isinstance(action, PatchPVC) and action.seal is not None:
            obj |= seal(obj, action.seal, kind=SealedKind.PVC)
        obj["metadata"]["resourceVersion"] = str(next(self._serial))

    def _created(self, objects: dict[str, Json], manifest: Mapping[str, Any]) -> Json:
        obj: Json = copy.deepcopy(dict(manifest))
        name = obj["metadata"]["name"]
        if name in objects:
            return objects[name]
        obj["metadata"] |= {
            "uid": f"object-{next(self._serial)}",
            "creationTimestamp": format_time(self.now),
            "resourceVersion": str(next(self._serial)),
        }
        objects[name] = obj
        return obj


def new(spec: Json | None = None, **quota: Any) -> FakeCluster:
    """Return a cluster with one session that was just applied."""
    cluster = FakeCluster()
    cluster.set_quota(**quota)
    cluster.apply(spec=spec)
    return cluster


def running(name: str = "sales", *, spec: Json | None = None, state: str = RunnerState.CONNECTED) -> FakeCluster:
    """Return a cluster with one session whose runner has just said this."""
    cluster = FakeCluster()
    cluster.set_quota()
    cluster.apply(name, spec=spec)
    cluster.settle()
    cluster.tick(5)
    cluster.say(state, name, linked_time=cluster.now if state == RunnerState.CONNECTED else None)
    cluster.resync()
    return cluster
