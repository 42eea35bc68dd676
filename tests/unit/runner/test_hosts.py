"""Which hosts are allowed, in Python and in the browser's own rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_runner.page.hosts import AllowedHosts
from unit.runner.pages import quick

HOSTS = AllowedHosts.parse("*.whatsapp.com, static.Example.org")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("web.whatsapp.com", True),
        ("a.b.whatsapp.com", True),
        ("WEB.WhatsApp.com.", True),
        ("whatsapp.com", False),
        ("evilwhatsapp.com", False),
        ("web.whatsapp.com.evil.org", False),
        ("static.example.org", True),
        ("x.static.example.org", False),
        ("", False),
        ("10.0.0.1", False),
    ],
)
def test_a_pattern_stands_for_subdomains_and_nothing_else(host: str, *, expected: bool) -> None:
    """`*.domain` means any name below it, a plain name means itself; case and a trailing dot do not matter."""
    assert expected is HOSTS.allows(host)


def test_the_browser_gets_a_rule_in_which_nothing_else_resolves() -> None:
    """Everything maps to nowhere but the allowed names."""
    assert HOSTS.resolver_rules == "MAP * ~NOTFOUND, EXCLUDE *.whatsapp.com, EXCLUDE static.example.org"


@quick
@given(text=st.text(max_size=40))
def test_no_text_can_smuggle_a_rule_into_the_browser(text: str) -> None:
    """Whatever is accepted consists of host characters, so the rule has one part per host."""
    try:
        hosts = AllowedHosts.parse(text)
    except ValueError:
        return
    assert len(hosts.patterns) + 1 == len(hosts.resolver_rules.split(","))
    assert all(part.count(" ") == 1 for part in hosts.resolver_rules.split(", ")[1:])
