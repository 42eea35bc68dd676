"""One-time requests by annotation: what counts, and what was carried out."""

import pytest
from whatsapp_operator.api.constants import RELINK_AT, RESTART_AT
from whatsapp_operator.api.requests import HandledRequests, relink_pending, requested, restart_pending

NOON = "2026-01-31T12:00:00Z"


@pytest.mark.parametrize(
    ("annotations", "handled", "pending"),
    [
        ({}, None, False),
        ({RESTART_AT: NOON}, None, True),
        ({RESTART_AT: NOON}, NOON, False),
        ({RESTART_AT: NOON}, "2026-01-31T11:00:00Z", True),
        ({RESTART_AT: "2026-01-31T11:00:00Z"}, NOON, True),
        ({RESTART_AT: "now"}, None, True),
        ({RESTART_AT: ""}, None, False),
        ({}, NOON, False),
        ({RELINK_AT: NOON}, None, False),
    ],
)
def test_any_value_but_the_handled_one_asks_for_a_restart(
    annotations: dict[str, str],
    handled: str | None,
    pending: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """Earlier times and texts that are no times count too; taking the annotation away does not."""
    assert pending == restart_pending(annotations, HandledRequests(restart_at=handled))


def test_a_new_link_is_asked_for_by_its_own_annotation() -> None:
    """The two requests do not answer each other."""
    handled = HandledRequests(restart_at=NOON)

    assert relink_pending({RELINK_AT: NOON}, handled)
    assert not relink_pending({RESTART_AT: "later"}, handled)
    assert not relink_pending({RELINK_AT: NOON}, HandledRequests(relink_at=NOON))


def test_carrying_out_what_is_asked_ends_the_request() -> None:
    """Writing `asked` to status answers both, however long a value is."""
    annotations = {RESTART_AT: "x" * 100_000, RELINK_AT: NOON}

    handled = requested(annotations)

    assert not restart_pending(annotations, handled)
    assert not relink_pending(annotations, handled)
    assert len(handled.restart_at or "") == 256


def test_two_long_values_are_two_requests() -> None:
    """However much their beginnings have in common."""
    handled = requested({RESTART_AT: "x" * 300 + "1"})

    assert not restart_pending({RESTART_AT: "x" * 300 + "1"}, handled)
    assert restart_pending({RESTART_AT: "x" * 300 + "2"}, handled)
    assert restart_pending({RESTART_AT: "x" * 300}, handled)


def test_status_names_the_requests_as_the_annotations_do() -> None:
    """In the manifest the keys are restart-at and relink-at."""
    assert {"restart-at": NOON} == HandledRequests(restart_at=NOON).to_dict()


def test_what_a_terminal_would_obey_does_not_reach_status() -> None:
    """And the request is handled all the same."""
    annotations = {RESTART_AT: "\x1b]52;c;aGk=\x07now\u202e", RELINK_AT: "jetzt, gleich"}

    handled = requested(annotations)

    assert ("?]52;c;aGk=?now?", "jetzt, gleich") == (handled.restart_at, handled.relink_at)
    assert not restart_pending(annotations, handled)
