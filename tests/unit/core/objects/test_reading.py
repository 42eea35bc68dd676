"""Fields of foreign objects: what is no text is empty, words go through the door, once."""

import pytest
from session_protocol.redaction import LONGEST, redact
from whatsapp_operator.core.objects import reading
from whatsapp_operator.core.objects.facts import pod_facts
from whatsapp_operator.core.objects.reading import LONGEST_READ, free_text, identifier, redacted

HOSTILE = "\x1b]52;c;aGk=\x07 +49 171 1234567 \x1b[2J\u202e token=hunter2 "
FIELDS = ("scheduled_message", "termination_message", "waiting_message", "pod_message")
IDENTIFIERS = ("scheduled_reason", "exit_reason", "waiting_reason", "pod_reason")


@pytest.mark.parametrize("keep", ["start", "end"])
@pytest.mark.parametrize("size", [10, LONGEST, LONGEST + 1, LONGEST_READ - 1, LONGEST_READ, LONGEST_READ + 1, 100_000])
def test_what_is_not_taken_up_changes_nothing(keep: str, size: int) -> None:
    """A text is cut before anything else is done with it, and the result is that of the whole."""
    text = " ".join(f"word{number}" for number in range(size // 7 + 2))[:size]

    assert redact(text, keep=keep) == redacted(text, keep=keep)  # type: ignore[arg-type]


def test_the_same_text_is_redacted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod is looked at again and again; its last words do not change."""
    taken: list[str] = []

    def counting(text: str, *, keep: str) -> str:
        taken.append(f"{keep}: {len(text)}")
        return text

    monkeypatch.setattr(reading, "redact", counting)
    reading._redacted.cache_clear()
    for _ in range(100):
        free_text({"message": "#" * 4096 + "1"}, "message")
    reading._redacted.cache_clear()

    assert [f"end: {LONGEST_READ}"] == taken


@pytest.mark.parametrize("text", ["OOMKilled", "ErrImagePull", "ContainerCannotRun", "NodeLost", "a_b:c,d", "E1"])
def test_a_reason_is_an_identifier(text: str) -> None:
    """As Kubernetes has them."""
    assert text == identifier({"reason": text}, "reason")


@pytest.mark.parametrize(
    "text", ["", "two words", "\x1b[2J", "A\n", "A491711234567", "x" * 200, HOSTILE, 7, None, ["A"], "1A", "A\u202e"]
)
def test_what_is_no_identifier_is_no_reason(text: object) -> None:
    """A number of a person, a sentence, control characters."""
    assert "" == identifier({"reason": text}, "reason")


def test_no_field_of_a_pod_brings_anything_in() -> None:
    """Whoever may start a container can say all of this; facts are printable, short and without secrets."""
    ended, waiting = ({"reason": HOSTILE, "message": HOSTILE * 1000} for _ in range(2))
    statuses = [
        [{"name": "runner", "state": {"terminated": {**ended, "exitCode": 1}}}],
        [{"name": "runner", "state": {"waiting": waiting}}],
    ]
    for containers in statuses:
        scheduled = {"type": "PodScheduled", "status": "False", **waiting}
        status = {
            "reason": HOSTILE,
            "message": HOSTILE * 1000,
            "conditions": [scheduled],
            "containerStatuses": containers,
        }
        facts = pod_facts({"metadata": {"name": "a"}, "status": status})
        read = [getattr(facts, name) for name in FIELDS]

        assert all(text.isprintable() and len(text) <= LONGEST for text in read)
        assert not [text for text in read if "1234567" in text or "hunter2" in text or "52;c" in text]
        assert [""] * 4 == [getattr(facts, name) for name in IDENTIFIERS]
        assert sum(map(bool, read)) == 3
