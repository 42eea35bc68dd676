"""The main job, act by act: come up, queue, link, survive, make room.

`play` runs on a prepared stage (cluster, operator and stand-in are up) and tells each step through the story. Nothing
is assumed from an earlier step that was missed: each probe looks anew.
"""

import time

from session_devtools.errors import ToolError
from session_protocol.states import OperatorState
from session_protocol.vocabulary import RunnerState

from session_demo.cast import LINKED, QUEUE_MESSAGE, QUOTA, WAITING, namespace, quota, session
from session_demo.drawing import draw_qr
from session_demo.stage import Stage
from session_demo.story import Probe, Seen, Story

AFTER_LINKING = 5.0
""" Seconds from linking to the graceful deletion: far less than the minute a browser takes to write all to disk. """


def play(story: Story, stage: Stage) -> None:
    """Tell the whole story."""
    story.clues = stage.clues
    come_up(story, stage)
    link_three(story, stage)
    keep_login(story, stage)
    survive(story, stage)
    make_room(story, stage)


def come_up(story: Story, stage: Stage) -> None:
    """Four sessions, room for three."""
    story.chapter("Sessions come up as custom resources; one too many waits")
    stage.kubectl.apply(
        namespace(stage.instance), quota(stage.instance), *(session(name, stage.profile) for name in LINKED)
    )
    for name in LINKED:
        story.expect(
            f"{name} shows a QR code in its own pod",
            stage.in_state(name, RunnerState.QR_PENDING),
            within=stage.patience,
        )
    stage.kubectl.apply(session(WAITING, stage.profile))

    def queued() -> Seen:
        status = stage.session(WAITING).get("status", {})
        admitted = {item["type"]: item for item in status.get("conditions", [])}.get("Admitted", {})
        good = status.get("state") == OperatorState.QUEUED and admitted.get("message") == QUEUE_MESSAGE
        return Seen(good=good, text=f"{WAITING} is {status.get('state')}: {admitted.get('message', 'no message yet')}")

    story.expect(f"{WAITING} waits, and says why", queued, within=15)


def link_three(story: Story, stage: Stage) -> None:
    """A phone scans three QR codes."""
    story.chapter("A phone links three sessions by their QR codes")
    try:
        story.say(draw_qr(stage.qr_text(LINKED[0])))
        story.say(f"   (the QR code of {LINKED[0]}; the stand-in's phone scans it now)")
    except ToolError as error:
        story.say(f"   the QR code of {LINKED[0]} cannot be drawn: {error}")
    for name in LINKED:
        with story.doing(f"the phone scans the QR code of {name}"):
            stage.scan(name)
    for name in LINKED:
        story.expect(f"{name} is linked and connected", stage.in_state(name, RunnerState.CONNECTED), within=30)


def keep_login(story: Story, stage: Stage) -> None:
    """A graceful deletion right after linking loses nothing: the last linked one's, which no waiting has made durable."""
    name = LINKED[-1]
    story.chapter("A pod is deleted gracefully 5 s after linking, and keeps its login")
    before, linked = stage.pod_uid(name), stage.link_time(name)
    time.sleep(AFTER_LINKING)
    with story.doing(f"deleting the pod of {name}"):
        stage.delete_pod(name)
    again = stage.connected_again(name, before=before, linked=linked)
    story.expect(f"{name} is Connected again, with no new QR code", again, within=90)


def survive(story: Story, stage: Stage) -> None:
    """A killed browser and a deleted pod, and a third session that notices neither.

    The browser that is killed is the one whose pod has just been replaced: the clean stop wrote its login to disk, where
    it survives any end. The others' logins are there a minute after linking, which is long for somebody who watches.
    """
    untouched, deleted, killed = LINKED
    story.chapter("Chromium is killed in one session and the pod of another is deleted; the third notices neither")
    story.expect(f"the login of {killed} is safely on disk", stage.durable(killed), within=90)
    pods = {name: stage.pod_uid(name) for name in LINKED}
    logins = {name: stage.link_time(name) for name in LINKED}
    with story.doing(f"killing Chromium in the pod of {killed}, deleting the pod of {deleted}"):
        stage.kill_browser(killed)
        stage.delete_pod(deleted)
    for name in (killed, deleted):
        again = stage.connected_again(name, before=pods[name], linked=logins[name])
        story.expect(f"{name} is Connected again, with no new QR code", again, within=120)
    story.expect(f"{untouched} was left alone", stage.same_pod(untouched, pods[untouched]), within=5)
    story.expect("the phone knows three devices, not more", three_devices(stage), within=5)


def three_devices(stage: Stage) -> Probe:
    """Make a probe: no session was linked a second time."""

    def look() -> Seen:
        devices = stage.phone("/phone/devices")["devices"]
        return Seen(good=len(devices) == len(LINKED), text=f"{len(devices)} linked devices")

    return look


def make_room(story: Story, stage: Stage) -> None:
    """Suspending one session lets the waiting one in."""
    name = LINKED[0]
    story.chapter("One session is suspended, and the waiting one is let in")
    with story.doing(f"suspending {name}"):
        stage.suspend(name)
    story.expect(f"{name} is suspended and its pod gone", stage.has_condition(name, "Suspended"), within=90)
    story.expect(
        f"{WAITING} is admitted and shows a QR code",
        stage.in_state(WAITING, RunnerState.QR_PENDING),
        within=stage.patience,
    )
    story.expect(f"the quota {QUOTA} counts three sessions, none waiting", stage.quota_counts(QUOTA, 3, 0), within=15)
