"""The demo's own story, on this cluster."""

import sys

from e2e.ground import Ground
from session_demo.cast import LINKED, NAMESPACE, WAITING
from session_demo.play import play
from session_demo.story import Story


def test_the_demo_shows_all_that_it_promises(e2e: Ground) -> None:
    """Sessions come up, queue, are linked, survive a kill and make room: not one step is missed."""
    for device in e2e.stage.phone("/phone/devices")["devices"]:
        e2e.stage.phone(f"/phone/{device['id']}/unlink", {})
    story = Story(out=sys.stdout)

    play(story, e2e.stage)

    assert [] == story.misses
    assert 0 == story.finish()
    e2e.kubectl("delete", "was", *LINKED, WAITING, f"--namespace={NAMESPACE}", "--wait=false")
