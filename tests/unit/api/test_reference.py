"""The reference page: tables that render, and words for people."""

import re

from whatsapp_operator.api.crd.definitions import KINDS
from whatsapp_operator.api.crd.reference import reference

PAGE = reference()


def test_every_table_row_has_the_columns_of_its_head() -> None:
    """A stray bar in a description would shift the rest of the row."""
    tables = re.findall(r"(?:^\|.*\|\n)+", PAGE, flags=re.MULTILINE)
    counts = [{len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()} for table in tables]

    assert len(tables) > 30
    assert [] == [table for table, count in zip(tables, counts, strict=True) if len(count) != 1]


def test_types_are_described_for_people() -> None:
    """Quantities, durations, times and choices, not what JSON calls them."""
    assert "| `size` | quantity |" in PAGE
    assert "| `launch` | duration |" in PAGE
    assert "| `linkedTime` | time |" in PAGE
    assert "| `retention` | Retain \\| Delete |" in PAGE
    assert "| `maxAttempts` | integer, from 1, to 100 |" in PAGE
    assert "| `priority` | integer |" in PAGE
    assert "| `labels` | map to string |" in PAGE
    assert "| `conditions` | list of object |" in PAGE


def test_a_refusal_is_found_by_its_field() -> None:
    """Rules on the root and on blocks are listed at the field that the error names."""
    for field in ("metadata.name", "spec.quotaName", "spec.profile.size", "spec.resources.limits.memory"):
        assert f"| `{field}` | " in PAGE


def test_both_kinds_have_their_columns() -> None:
    """What `kubectl get` shows, and what needs -o wide."""
    for kind in KINDS:
        assert f"### Columns of `kubectl get {kind.short}`" in PAGE
    assert "| Next attempt | `.status.recovery.nextAttemptTime` | When the next pod is created. (`-o wide`) |" in PAGE


def test_the_page_says_where_it_comes_from() -> None:
    """Nobody edits it in vain."""
    assert PAGE.startswith("<!-- Written by `make generate`")
