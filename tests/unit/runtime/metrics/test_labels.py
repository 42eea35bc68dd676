"""What may stand in a label."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whatsapp_operator.runtime.metrics.labels import bounded_label, hashed, name_label, state_label

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "metrics.md"
UID = "7f0c1c8e-5d4e-4a39-9a53-4f4f5d1e2a10"


@pytest.mark.parametrize("name", ["sales", "a", "shop-2026", "team-123456", "s1-2-3-4-5-6", "hash"])
def test_a_name_is_shown_as_it_is(name: str) -> None:
    """Up to six digits are nobody's number."""
    assert name == name_label(name, UID)


@pytest.mark.parametrize(
    "name", ["4915112345678", "1234567", "wa-555-12-34", "a1b2c3d4e5f6g7", "0000000", "s-20261122"]
)
def test_a_name_with_seven_digits_is_a_hash(name: str) -> None:
    """Wherever they stand: people write numbers with hyphens."""
    assert hashed(UID) == name_label(name, UID)


def test_the_documented_command_finds_the_session_of_a_hash(tmp_path: Path) -> None:
    """A person who reads a hash in an alert has kubectl and a shell."""
    block = re.search(r"```console\n\$ (kubectl get was .*?)\n```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f"#!/bin/sh\necho 'other-uid   shop   sales'\necho '{UID}   shop   4915112345678'\n")
    kubectl.chmod(0o755)
    command = block[1].replace("hash:lkpbjdhmaoec", hashed(UID))
    assert hashed(UID) in command
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert [hashed(UID), "shop", "4915112345678"] == done.stdout.split()


@given(uid=st.uuids().map(str))
def test_a_hash_is_never_taken_for_a_number_or_a_name(uid: str) -> None:
    """It has no digit, and a colon, which no name of an object has."""
    assert re.fullmatch("hash:[a-p]{12}", hashed(uid))


def test_two_sessions_of_one_name_have_two_hashes() -> None:
    """One that was deleted and made anew is another session; and from no hash its name can be found by trying."""
    assert name_label("4915112345678", "one") != name_label("4915112345678", "other")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Connected", "Connected"),
        ("Queued", "Queued"),
        ("Levitating", "Other"),
        ("", "Unknown"),
        (None, "Unknown"),
        (7, "Other"),
    ],
)
def test_a_state_is_of_the_vocabulary(value: object, expected: str) -> None:
    """A newer runner's, or one made up, is one and the same word."""
    assert expected == state_label(value)


def test_a_foreign_value_is_other() -> None:
    """Whatever it is."""
    assert ["a", "Other", "Other"] == [bounded_label(value, {"a"}) for value in ("a", "b", None)]
