"""The termination message."""

from pathlib import Path

from session_protocol.vocabulary import ExitCode
from session_runner.host.termination_log import LIMIT_BYTES, termination_message, write_termination_log


def test_the_reason_stands_in_front_and_secrets_are_gone() -> None:
    """One line, the reason first, redacted: it ends up in a resource's status."""
    text = termination_message(ExitCode.PAGE_CRASHED, "The page of 15552223333\n  died.")

    assert text == "PageCrashed: The page of [number] died."


def test_long_texts_are_cut_between_characters() -> None:
    """The kubelet cuts anywhere; we cut earlier and never inside a character."""
    text = termination_message(ExitCode.INTERNAL_ERROR, "ä" * 5000)

    assert LIMIT_BYTES - 1 <= len(text.encode()) <= LIMIT_BYTES
    assert text.endswith("ä")


def test_they_are_written_where_the_kubelet_reads(tmp_path: Path) -> None:
    """The file exists in a container and is overwritten."""
    path = tmp_path / "log"
    path.write_text("old")
    write_termination_log(path, ExitCode.LOAD_FAILED, "No page.")

    assert path.read_text() == "LoadFailed: No page."


def test_outside_a_cluster_nothing_is_written(tmp_path: Path) -> None:
    """Where the file does not exist, nobody reads it and none is made."""
    write_termination_log(tmp_path / "absent", ExitCode.LOAD_FAILED, "No page.")

    assert list(tmp_path.iterdir()) == []
