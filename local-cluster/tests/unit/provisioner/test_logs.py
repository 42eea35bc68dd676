"""The provisioner's log lines: one per record, with the caller's fields."""

import logging
from dataclasses import dataclass

from local_cluster.provisioner.__main__ import FieldFormatter


@dataclass
class Meddling:
    """A value that is written while another handler adds to the record: here, by being written."""

    record: logging.LogRecord

    def __repr__(self) -> str:
        for number in range(100):
            setattr(self.record, f"added{number}", number)
        return "seen"


def line(**fields: object) -> str:
    """What is written for a message with these fields."""
    return FieldFormatter("%(levelname)s %(message)s").format(logging.makeLogRecord({"msg": "Made", **fields}))


def test_a_line_has_the_callers_fields_behind_the_message() -> None:
    """Names as they are, values as Python shows them, what logging itself adds left out."""
    assert line(levelname="INFO", volume="pvc-1", size=3) == "INFO Made volume='pvc-1' size=3"


def test_a_line_without_fields_is_its_message() -> None:
    """Nothing hangs on behind."""
    assert line(levelname="WARNING") == "WARNING Made"


def test_a_record_that_grows_while_it_is_read_is_written_all_the_same() -> None:
    """The fields are those at the moment of writing; a line is never lost for a handler beside it."""
    record = logging.makeLogRecord({"msg": "Made", "levelname": "INFO", "size": 3})
    record.volume = Meddling(record)

    assert FieldFormatter("%(levelname)s %(message)s").format(record) == "INFO Made size=3 volume=seen"
