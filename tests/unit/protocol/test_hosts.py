"""Which hosts are allowed, in Python and in the browser's own rule."""

import pytest
from host_cases import ALLOWED, Case
from host_cases import HOSTS as CASES
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.hosts import AllowedHosts
from unit.runner.pages import quick

HOSTS = AllowedHosts.parse("*.whatsapp.com, static.Example.org")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("web.whatsapp.com", True),
        ("a.b.whatsapp.com", True),
        ("WEB.WhatsApp.com", True),
        ("web.whatsapp.com.", False),
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
    """`*.domain` means any name below it, a plain name means itself; case does not matter, a trailing dot does."""
    assert expected is HOSTS.allows(host)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.host)
def test_a_host_is_judged_as_the_browser_and_the_operator_do(case: Case) -> None:
    """The same table is tried on them."""
    assert case.expected is AllowedHosts.parse(ALLOWED).allows(case.host)


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
