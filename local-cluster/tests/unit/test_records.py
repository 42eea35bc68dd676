"""What one command tells the next about an instance, and the locks between them."""

import dataclasses
import json
import threading
from pathlib import Path

import pytest
from local_cluster.full import records
from local_cluster.full.instance import Link
from session_devtools.errors import ToolError


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A state and a run folder of this test's own, on a host without routes."""
    monkeypatch.setattr(records, "run", lambda *_: json.dumps([{"dst": "default"}, {"dst": "10.245.0.4/30"}]))
    return tmp_path / "state", tmp_path / "run"


def test_a_new_instance_is_found_again(roots: tuple[Path, Path]) -> None:
    """With the same address, which is in its certificates."""
    state, run = roots
    made = records.find_or_create("demo", state_root=state, run_root=run)

    assert made == records.find("demo", state_root=state, run_root=run)
    assert made == records.find_or_create("demo", state_root=state, run_root=run)
    assert records.names(state) == ["demo"]


def test_what_was_asked_of_an_instance_is_known_to_the_next_command(roots: tuple[Path, Path]) -> None:
    """A new one enforces no network policies; a note from before there were any does not either."""
    state, run = roots
    made = records.find_or_create("demo", state_root=state, run_root=run)
    wanted = dataclasses.replace(made, network_policies=True)
    records.remember(wanted)
    found = records.find("demo", state_root=state, run_root=run)
    (state / "demo" / records.FILE).write_text(json.dumps({"link": made.link._asdict()}))

    assert not made.network_policies
    assert wanted == found
    assert made == records.find("demo", state_root=state, run_root=run)


def test_instances_and_routes_keep_apart(roots: tuple[Path, Path]) -> None:
    """Also from an instance that is not up, and has no link at the moment."""
    state, run = roots
    networks = [records.find_or_create(name, state_root=state, run_root=run).link.network for name in ("a", "b")]

    assert networks == ["10.245.0.0/30", "10.245.0.8/30"]


def test_what_never_was_is_not_found(tmp_path: Path) -> None:
    """Neither an unknown name nor an empty folder is an instance."""
    (tmp_path / "state" / "half").mkdir(parents=True)

    assert records.find("none", state_root=tmp_path / "state", run_root=tmp_path) is None
    assert records.find("half", state_root=tmp_path / "state", run_root=tmp_path) is None
    assert records.names(tmp_path / "state") == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"link": {"network": "x"}}'])
def test_a_damaged_note_is_named(tmp_path: Path, text: str) -> None:
    """The message says which folder to remove."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / records.FILE).write_text(text)

    with pytest.raises(ToolError, match=f"damaged .*remove {tmp_path}/demo"):
        records.find("demo", state_root=tmp_path, run_root=tmp_path)


def test_a_lock_leaves_nothing(tmp_path: Path) -> None:
    """Its file and the folder it lies in are gone when it is free, also after an error."""
    with records.locked("x", run_root=tmp_path / "run"):
        inside = [path.name for path in (tmp_path / "run").iterdir()]
    with pytest.raises(KeyError), records.locked("x", run_root=tmp_path / "run"):
        raise KeyError

    assert inside == [".x.lock"]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    """Many who want it at once, with its file removed each time, never meet inside."""
    inside, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with records.locked("x", run_root=tmp_path / "run"):
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)

    assert most == 1
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_written_as_it_is_read(roots: tuple[Path, Path]) -> None:
    """The note is plain JSON."""
    state, run = roots
    made = records.find_or_create("demo", state_root=state, run_root=run)
    note = json.loads((state / "demo" / records.FILE).read_text())

    assert made.link == Link(**note["link"])
