"""Kubernetes quantities, as claims write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from local_cluster.provisioner.quantities import QuantityError, format_bytes, parse_bytes, rough_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1Gi", 1024**3),
        ("1G", 10**9),
        ("1.5Gi", 3 * 1024**3 // 2),
        ("500M", 500_000_000),
        ("1e9", 10**9),
        ("1E9", 10**9),
        ("2E", 2 * 10**18),
        ("1Ei", 1024**6),
        ("1k", 1000),
        ("1Ki", 1024),
        ("1500m", 2),
        ("100", 100),
        ("0", 0),
        ("0.5", 1),
    ],
)
def test_every_notation_of_the_api_is_read(text: str, expected: int) -> None:
    """Decimal, binary, exponent and fraction; a fraction of a byte is a byte."""
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "Gi", "1 Gi", "1gi", "a lot", "1GiB", "0x10", "NaN", "inf"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    """Whoever sees the message knows how to write it."""
    with pytest.raises(QuantityError, match="write it like 1Gi or 500M"):
        parse_bytes(text)


@given(st.integers(min_value=0, max_value=2**63))
def test_what_is_written_is_read_again(count: int) -> None:
    """An object's size is exact."""
    assert parse_bytes(format_bytes(count)) == count


@pytest.mark.parametrize(
    ("count", "expected"), [(1024**3, "1Gi"), (1536 * 1024**2, "1536Mi"), (1000, "1000"), (0, "0")]
)
def test_sizes_are_written_short(count: int, expected: str) -> None:
    """As a person would."""
    assert format_bytes(count) == expected


@pytest.mark.parametrize(("count", "expected"), [(1024**3, "1.0 GiB"), (512 * 1024**2, "512 MiB"), (0, "0 MiB")])
def test_figures_for_a_persons_eye(count: int, expected: str) -> None:
    """Rounded, in a message."""
    assert rough_bytes(count) == expected
