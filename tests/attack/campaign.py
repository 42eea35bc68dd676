"""The attacks on a cluster with honest sessions in it: a calm time, the same under attack, and what came of it.

    calm:    the honest sessions are watched, and their runners asked, while nobody does anything
    attack:  all attackers act at once for the given time
    verdict: `attack.verdict.judge` of what was seen in both

Everything stays on loopback and the cluster's own addresses, and ends with the time. `make attack` calls it with a
cluster of its own, the end-to-end tests with theirs.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from e2e.harness import ClusterHarness
from e2e.operator_pod import LEASE
from e2e.operator_pod import NAMESPACE as OPERATOR
from e2e.tenant import Tenant
from local_cluster.full.readiness import api_client
from session_bench.pod_network import PodNetwork
from session_devtools.errors import ToolError
from session_devtools.progress import Progress
from session_devtools.waiting import wait_until
from session_protocol.vocabulary import ExitCode
from support.sessions import Expectation, condition, in_new_pod, in_state
from whatsapp_operator.api.constants import EVENT_CONTROLLER, RUNNER_PORT

from attack import image, objects
from attack.verdict import Findings
from attack.watch import Target, Watcher

HOSTILE: Final = "attack-hostile"
THIEVES: Final = "attack-thieves"
NEWCOMER: Final = "newcomer"
PATIENCE: Final = 180.0
""" Seconds an honest session may take to its QR code on a machine that is attacked. """
EVENT_MESSAGES: Final = f"{{range .items[?(@.reportingController=='{EVENT_CONTROLLER}')]}}{{.note}}{{end}}"
TESTS: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """One run against one cluster."""

    e2e: ClusterHarness
    honest: Tenant
    """ Its sessions are linked and Connected. """
    names: tuple[str, ...]
    victim: str
    """ One of them, whose runner is attacked over the network; how fast it answers is judged apart. """
    seconds: float
    progress: Progress

    def run(self) -> Findings:
        """Do it all; returns what was seen."""
        hostile_image = image.load(self.e2e.cluster, progress=self.progress)
        with PodNetwork(self.e2e.cluster.network, threads=len(self.names) + 1) as network, self._namespaces():
            watcher = Watcher(
                api=api_client(self.e2e.cluster.instance),
                network=network,
                namespace=self.honest.namespace,
                lease=LEASE,
                names=frozenset(self.names),
            )
            targets = [self._target(name) for name in self.names]
            series, restarts = self._series(), self._operator_restarts()
            calm = max(30.0, self.seconds / 5)
            with (
                self.progress.step(f"{calm:.0f} s of calm", status=lambda: "watching"),
                watcher.watching(targets) as before,
            ):
                time.sleep(calm)
            with (
                self.progress.step(f"{self.seconds:.0f} s of attack", status=lambda: "watching"),
                watcher.watching(targets) as during,
            ):
                found = self._attack(hostile_image)
            return Findings(
                before=before,
                during=during,
                victim=self.victim,
                operator_restarts=self._operator_restarts() - restarts,
                texts=self._texts(),
                series=(series, self._series()),
                **found,
            )

    @contextmanager
    def _namespaces(self) -> Iterator[None]:
        kubectl = self.e2e.kubectl
        made = (HOSTILE, THIEVES)
        kubectl.apply(*map(objects.namespace, made), objects.quota(sessions=len(self.names) + 20, storage="12Ti"))
        for name in made:
            kubectl(
                "wait", f"--namespace={name}", "--for=create", "serviceaccount/default", "--timeout=60s", timeout=70
            )
        kubectl.apply(objects.edit_right(HOSTILE))
        try:
            yield
        finally:
            self.honest.run("delete", "was", NEWCOMER, "--ignore-not-found", "--wait=false")
            for name in made:
                kubectl("delete", "was,pods,pvc", "--all", f"--namespace={name}", "--wait=false", timeout=120)
                kubectl("delete", "namespace", name, "--wait=false")

    def _attack(self, hostile_image: str) -> dict[str, Any]:
        """Let everybody act at once until the time is over, and the honest do what they would."""
        end = time.monotonic() + self.seconds
        kubectl = self.e2e.kubectl
        with ThreadPoolExecutor(8) as people, self._sockets():
            kubectl.apply(*objects.hostile_runners(HOSTILE, hostile_image))
            self._try(*objects.thieves(THIEVES, victim_uid=self._uid(self.victim)))
            running = [
                people.submit(self._come_and_go, hostile_image, end),
                people.submit(self._giants),
                people.submit(self._hoard),
            ]
            refused = people.submit(self._beyond_rights, hostile_image)
            poisoned = people.submit(self._poison, hostile_image)
            newcomer = people.submit(self._newcomer)
            time.sleep(max(0.0, end - time.monotonic()))
            for action in running:
                action.result()
            started, recovered = newcomer.result()
            return {
                "refused": refused.result(),
                "newcomer": started,
                "recovered": recovered,
                "hoarded": self._hoarded(),
                "poisoned": poisoned.result(),
            }

    @contextmanager
    def _sockets(self) -> Iterator[None]:
        """A process in the cluster's network that attacks the victim's runner and the operator."""
        operator = self.e2e.operator.pod()
        ports = [
            port["containerPort"] for container in operator["spec"]["containers"] for port in container.get("ports", ())
        ]
        addresses = [f"{self._address(self.victim)}:{RUNNER_PORT}"]
        addresses += [f"{operator['status']['podIP']}:{port}" for port in ports]
        module = ("-m", "attack.sockets", f"{self.seconds:.0f}", *addresses)
        command = self.e2e.cluster.inside(sys.executable, *module)
        # In a session of its own: where the kernel groups processes by session, a priority counts within a group alone.
        with subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
            try:
                yield
                output, _ = process.communicate(timeout=60)
                self.progress.info(f"on sockets: {output.strip()}")
                if process.returncode != 0:
                    raise ToolError(f"the attack on sockets ended with {process.returncode}")
            finally:
                process.kill()

    def _come_and_go(self, hostile_image: str, end: float) -> None:
        """Delete a failing session and create it again, all the time: no pause of the others' may come of it."""
        number = 107
        while time.monotonic() < end:
            spec = {"pod": {"image": hostile_image}, "link": {"maxRounds": number}}
            self._try(objects.session("comes-and-goes", HOSTILE, **spec))
            time.sleep(min(20.0, max(0.0, end - time.monotonic())))
            self.e2e.kubectl("delete", "was", "comes-and-goes", f"--namespace={HOSTILE}", "--ignore-not-found")

    def _giants(self) -> None:
        for giant in objects.giants(HOSTILE):
            self._try(giant)

    def _hoard(self) -> None:
        for number in range(20):
            hoarder = objects.hoarder(HOSTILE, number)
            self._try(hoarder)
            time.sleep(2)
            name = hoarder["metadata"]["name"]
            self.e2e.kubectl("delete", "was", name, f"--namespace={HOSTILE}", "--ignore-not-found", "--wait=false")

    def _hoarded(self) -> int:
        claims = json.loads(self.e2e.kubectl("get", "pvc", f"--namespace={HOSTILE}", "--output=json"))["items"]
        return sum(claim["spec"]["resources"]["requests"]["storage"] == "10Ti" for claim in claims)

    def _beyond_rights(self, hostile_image: str) -> dict[str, str | None]:
        """Ask as a person with the sessions' role alone; returns each refusal."""
        found: dict[str, str | None] = {}
        for label, wanted in objects.beyond_rights(HOSTILE, hostile_image).items():
            found[label] = self._try(wanted, person=objects.PERSON)
        return found

    def _poison(self, hostile_image: str) -> dict[str, str]:
        """Leave something on profiles that an honest runner finds there; returns why each of these has ended."""
        tenant = Tenant(kubectl=self.e2e.kubectl, phone=self.e2e.phone, namespace=HOSTILE)
        wanted = objects.poisoners(HOSTILE, hostile_image)
        names = {poison: str(session["metadata"]["name"]) for poison, session in wanted.items()}
        self.e2e.kubectl.apply(*wanted.values())
        for name in names.values():
            tenant.wait_for_condition(name, "PodReady", status="True")
            tenant.edit(name, {"pod": None, "resources": None, "link": None})
            tenant.request(name, "restart-at")
        return {poison: self._ended(tenant, name) for poison, name in names.items()}

    def _ended(self, tenant: Tenant, name: str) -> str:
        """Return why the runner does not start, as Ready has it: the profile's state is no failure that counts."""
        reason = ExitCode.PROFILE_UNUSABLE.reason
        refused = Expectation(f"is {reason}", lambda status: condition(status, "Ready").get("reason") == reason)
        try:
            tenant.wait_for(name, refused, within=PATIENCE)
        except ToolError:
            return "nothing"
        return reason

    def _newcomer(self) -> tuple[float | None, float | None]:
        """Apply an honest session, wait for its QR code, kill its browser, wait for the next one."""
        begun = time.monotonic()
        self.honest.create(NEWCOMER, quotaName=objects.QUOTA)
        started = _took(begun, lambda: self.honest.wait_for(NEWCOMER, in_state("QRPending"), within=PATIENCE))
        if started is None:
            return None, None
        before, begun = self.honest.pod_uid(NEWCOMER), time.monotonic()
        self.honest.kill_browser(NEWCOMER)
        new = in_new_pod(before, state="QRPending")
        return started, _took(begun, lambda: self.honest.wait_for(NEWCOMER, new, within=PATIENCE))

    def _try(self, *wanted: objects.Object, person: str = "") -> str | None:
        """Apply objects that may be refused; returns the refusal."""
        flags = [f"--as={person}"] if person else []
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(wanted)})
        try:
            # Not `apply`: its annotation with the whole object would be too long for the largest of them.
            self.e2e.kubectl("create", "--filename=-", *flags, input=text, timeout=60)
        except ToolError as error:
            return str(error)
        return None

    def _texts(self) -> dict[str, str]:
        """Everything that people read, by where it stands."""
        kubectl = self.e2e.kubectl
        victim = ("logs", self.victim, f"--namespace={self.honest.namespace}", "--tail=-1")
        return {
            "the operator's log": self.e2e.operator.log(lines=-1),
            "the victim's log": kubectl(*victim),
            "sessions": kubectl("get", "was", "--all-namespaces", "--output=jsonpath={.items[*].status}"),
            "events": kubectl("get", "events.events.k8s.io", "--all-namespaces", f"--output=jsonpath={EVENT_MESSAGES}"),
            "metrics": self._metrics(),
        }

    def _metrics(self) -> str:
        """Return the operator's metrics; nothing when it does not answer, which its restarts and the Lease explain."""
        path = f"/api/v1/namespaces/{OPERATOR}/pods/{self.e2e.operator.pod()['metadata']['name']}:8080/proxy/metrics"

        def ask() -> str:
            return self.e2e.kubectl("get", "--raw", path)

        try:
            return wait_until("the operator's metrics", ask, every=1, within=30, retry_on=ToolError)
        except ToolError:
            return ""

    def _series(self) -> int:
        """Return how many series there are, but for those of single sessions, which come with each and have a limit."""
        return sum(not line.startswith(("#", "whatsapp_session_")) for line in self._metrics().splitlines())

    def _operator_restarts(self) -> int:
        statuses = self.e2e.operator.pod()["status"].get("containerStatuses", ())
        return sum(int(status["restartCount"]) for status in statuses)

    def _uid(self, name: str) -> str:
        return str((self.honest.get("was", name) or {})["metadata"]["uid"])

    def _address(self, name: str) -> str:
        return str(self.honest.pod(name)["status"]["podIP"])

    def _target(self, name: str) -> Target:
        return Target(name=name, host=self._address(name), port=RUNNER_PORT, token=self.honest.token(name, "state"))


def _took(begun: float, wait: Callable[[], object]) -> float | None:
    try:
        wait()
    except ToolError:
        return None
    return time.monotonic() - begun
