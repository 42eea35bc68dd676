"""The main job, act by act: come up, queue, link, survive, be left alone in a conflict, make room, outlast a ban.

`run_scenario` needs a prepared cluster (operator and stand-in are up) and reports each step. Nothing is
assumed from an earlier step that was missed: each probe looks anew.
"""

from kubectl_whatsapp.views import RESTART_AT
from session_devtools.errors import ToolError
from session_devtools.installation.constants import NAMESPACE
from session_devtools.installation.transformers import namespace
from session_protocol.states import OperatorState
from session_protocol.vocabulary import RunnerState

from session_demo.cluster_client import ClusterClient
from session_demo.drawing import draw_qr
from session_demo.manifests import LINKED, NOTICED_SOON, QUEUE_MESSAGE, QUOTA, WAITING, quota, session
from session_demo.report import Observation, Probe, Report

AFTER_LINKING = 5.0
""" Seconds from linking to the graceful deletion: far less than the minute a browser takes to write all to disk. """
LEFT_ALONE = 8.0
""" Seconds for which a conflict is watched: a session that takes itself back does so within one or two. """
BAN_SECONDS = 10
""" How long a ban at the QR code lasts: long enough to be seen on a slow machine. """


def run_scenario(report: Report, client: ClusterClient) -> dict[str, str]:
    """Run all of it; returns the phone's name of each linked session."""
    report.diagnostics = client.diagnostics
    come_up(report, client)
    devices = link_three(report, client)
    keep_login(report, client)
    survive(report, client)
    leave_alone(report, client, device=devices[LINKED[0]])
    make_room(report, client)
    outlast_ban(report, client)
    return devices


def come_up(report: Report, client: ClusterClient) -> None:
    """Four sessions, room for three."""
    report.section("Sessions come up as custom resources; one too many waits")
    client.kubectl.apply(
        namespace(client.instance),
        quota(client.instance),
        session(LINKED[0], client.profile, timeouts=NOTICED_SOON),
        *(session(name, client.profile) for name in LINKED[1:]),
    )
    for name in LINKED:
        report.expect(
            f"{name} shows a QR code in its own pod",
            client.in_state(name, RunnerState.QR_PENDING),
            within=client.startup_timeout,
        )
    client.kubectl.apply(session(WAITING, client.profile))

    def queued() -> Observation:
        status = client.session(WAITING).get("status", {})
        admitted = {item["type"]: item for item in status.get("conditions", [])}.get("Admitted", {})
        ok = status.get("state") == OperatorState.QUEUED and admitted.get("message") == QUEUE_MESSAGE
        return Observation(
            ok=ok, text=f"{WAITING} is {status.get('state')}: {admitted.get('message', 'no message yet')}"
        )

    report.expect(f"{WAITING} waits, and says why", queued, within=15)


def link_three(report: Report, client: ClusterClient) -> dict[str, str]:
    """A phone scans three QR codes; returns the phone's name of each session."""
    report.section("A phone links three sessions by their QR codes")
    try:
        report.info(draw_qr(client.qr_text(LINKED[0])))
        report.info(f"   (the QR code of {LINKED[0]}; the stand-in's phone scans it now)")
    except ToolError as error:
        report.info(f"   the QR code of {LINKED[0]} cannot be drawn: {error}")
    devices = {}
    for name in LINKED:
        with report.step(f"the phone scans the QR code of {name}"):
            devices[name] = client.scan(name)
    for name in LINKED:
        report.expect(f"{name} is linked and connected", client.in_state(name, RunnerState.CONNECTED), within=30)
    return devices


def keep_login(report: Report, client: ClusterClient) -> None:
    """A graceful deletion right after linking loses nothing: the last linked one's, which no waiting has made durable."""
    name = LINKED[-1]
    report.section("A pod is deleted gracefully 5 s after linking, and keeps its login")
    before, linked = client.pod_uid(name), client.link_time(name)
    report.sleep(AFTER_LINKING)
    with report.step(f"deleting the pod of {name}"):
        client.delete_pod(name)
    again = client.connected_again(name, before=before, linked=linked)
    report.expect(f"{name} is Connected again, with no new QR code", again, within=90)


def survive(report: Report, client: ClusterClient) -> None:
    """A killed browser and a deleted pod, and a third session that notices neither.

    The browser that is killed is the one whose pod has just been replaced: the clean stop wrote its login to disk, where
    it survives any end. The others' logins are there a minute after linking, which is long for somebody who watches.
    """
    untouched, deleted, killed = LINKED
    report.section("Chromium is killed in one session and the pod of another is deleted; the third notices neither")
    report.expect(f"the login of {killed} is safely on disk", client.durable(killed), within=90)
    pods = {name: client.pod_uid(name) for name in LINKED}
    logins = {name: client.link_time(name) for name in LINKED}
    with report.step(f"killing Chromium in the pod of {killed}, deleting the pod of {deleted}"):
        client.kill_browser(killed)
        client.delete_pod(deleted)
    for name in (killed, deleted):
        again = client.connected_again(name, before=pods[name], linked=logins[name])
        report.expect(f"{name} is Connected again, with no new QR code", again, within=120)
    report.expect(f"{untouched} was left alone", client.same_pod(untouched, pods[untouched]), within=5)
    report.expect("the phone knows three devices, not more", three_devices(client), within=5)


def three_devices(client: ClusterClient) -> Probe:
    """Make a probe: no session was linked a second time."""

    def observe() -> Observation:
        devices = client.phone.request("/phone/devices")["devices"]
        return Observation(ok=len(devices) == len(LINKED), text=f"{len(devices)} linked devices")

    return observe


def leave_alone(report: Report, client: ClusterClient, *, device: str) -> None:
    """A conflict is reported and nothing is done about it: to open the page again would push the other window out."""
    name = LINKED[0]
    report.section(f"The login of {name} is used in another window; {name} says so and never takes it back by itself")
    pod, loads = client.pod_uid(name), client.page_loads(device)
    with report.step(f"another window takes {name} over"):
        client.take_over(device)
    report.expect(f"{name} is in Conflict", client.in_state(name, RunnerState.CONFLICT), within=60)
    report.expect(f"{name} waits for a person", client.has_condition(name, "Stalled"), within=15)
    with report.step(f"watching {name} for {LEFT_ALONE:g} s"):
        report.sleep(LEFT_ALONE)
    report.expect(f"the page of {name} was not opened again", client.opened(device, loads), within=5)
    report.expect(f"{name} is still in Conflict", client.in_state(name, RunnerState.CONFLICT), within=5)
    report.expect(f"{name} was left as it is", client.same_pod(name, pod), within=5)
    restart = f"{RESTART_AT}=$(date -u +%FT%TZ)"
    report.info(f"   (to take {name} back: kubectl annotate --overwrite was {name} -n {NAMESPACE} {restart})")


def make_room(report: Report, client: ClusterClient) -> None:
    """Suspending one session, the one that another window has, lets the waiting one in."""
    name = LINKED[0]
    report.section("One session is suspended, and the waiting one is let in")
    with report.step(f"suspending {name}"):
        client.suspend(name)
    report.expect(f"{name} is suspended and its pod gone", client.has_condition(name, "Suspended"), within=90)
    report.expect(
        f"{WAITING} is admitted and shows a QR code",
        client.in_state(WAITING, RunnerState.QR_PENDING),
        within=client.startup_timeout,
    )
    report.expect(f"the quota {QUOTA} counts three sessions, none waiting", client.quota_counts(QUOTA, 3, 0), within=15)


def outlast_ban(report: Report, client: ClusterClient) -> None:
    """A ban at the QR code is a state of its own, without a code; when it is over, there is a code again in the same pod."""
    name = WAITING
    report.section(f"WhatsApp bans {name} for {BAN_SECONDS} s while it shows its QR code; then the ban is over")
    pod = client.pod_uid(name)
    with report.step(f"the service refuses {name} for {BAN_SECONDS} s"):
        client.ban_unlinked(BAN_SECONDS)
    report.expect(f"{name} is banned, and says so", client.in_state(name, RunnerState.TEMPORARILY_BANNED), within=15)
    report.expect(f"{name} shows a QR code again, by itself", client.in_state(name, RunnerState.QR_PENDING), within=60)
    report.expect("a phone could scan it now", client.shows_code(name), within=15)
    report.expect(f"{name} needed no new pod for that", client.same_pod(name, pod), within=5)
