"""Redaction costs what the length of a text costs, whatever is in it: one session must not slow down all others."""

import time
from itertools import pairwise

import pytest
import strategies  # noqa: F401 -- the profile without deadlines
from hypothesis import given, settings
from hypothesis import strategies as st
from session_protocol.redaction import LONGEST, redact

pytestmark = pytest.mark.slow

UNITS = [
    *(
        "1",
        "#",
        "a",
        "@",
        "-",
        "A-",
        "f0",
        "aB3/",
        "1,",
        " 1",
        "1.",
        "+",
        "(1)",
        "_",
        "=",
        "\\",
        "%",
        "%20",
        "&#",
        "&#49;",
        "ä",
    ),
    *(
        "token=",
        "token=a ",
        "token: ",
        'token="',
        "Bearer ",
        "Basic ",
        "Authorization: a,",
        "Cookie: a; ",
        "eyJ",
        "0x",
        "eyJaaaaaaaaaaaaaa.",
    ),
    *("://", "://a:b", "http://a:1@", "wa.me/", "2@", "2@a,", "@c.us", "a@", "1@c.us ", "linked_devices#2@a"),
    *(
        "-----BEGIN ",
        "-----END ",
        "a\n",
        "1\n",
        "f0f0f0f0\n",
        "A B ",
        "ABCD-1EFG ",
        "code ",
        "a1b2 ",
        "aa ",
        "[number]",
        "[",
    ),
    *(
        "2026-11-22 ",
        "10.0.0.1 ",
        "sha256:",
        "ip-1-",
        "3f2b8c1e-9d4a-",
        "\x1b[",
        "\x1b]",
        "\x9b0",
        "\x90",
        "\x9da",
        "\u0301",
        "\u200b",
        "\ud800",
    ),
    *("a:b@c ", "a:b@c", "a:@", "-u=", "-u a:b ", "--user ", "<token>", "<token a", "token>", "\u0410", "ABCD_1EFG/"),
    *(
        '"cc": "4", ',
        "cc=4&in=1&",
        '"phone": ["1", ',
        "country code: 4 ",
        "<cc>4</cc>",
        "phone",
        "user a:b ",
        "user ",
        "user a",
    ),
    *(
        "login as a:",
        "\\x9f",
        "\\x9fa",
        "\\u009f",
        "\\237",
        "b'\\x9f' ",
        "159, 1, ",
        "a1b2c3d4 ",
        "a1b2-c3d4 ",
        "bcdfghjk ",
        "ab-1c ",
    ),
    *("1 -", "f0 ", "http://a:1@A-2@", "aB3aB3aB3aB3aB3aB3aB3,", "token=#1@A-,", "a.b-c_d=", '"', "'\\"),
]
SIZES = (2048, 4096, 8192, 16384)
LOOKS = (5, 5, 5, 2)
""" How often each size is looked at. The longest is no pair's shorter one: too few looks at it can fail a test, and then
    it is looked at again, but never let a cost pass. """


def seconds(text: str, *, longest: int, looks: int = 5) -> float:
    """CPU time of a redaction, the least of some looks."""
    return min(_once(text, longest) for _ in range(looks))


def _once(text: str, longest: int) -> float:
    before = time.process_time()
    redact(text, longest=longest)
    return time.process_time() - before


@pytest.mark.parametrize("unit", UNITS)
def test_twice_the_length_costs_less_than_three_times(unit: str) -> None:
    """For texts that are looked at as a whole; the least of several looks, as other work on the machine disturbs one."""
    texts = [(unit * (size // len(unit) + 1))[:size] for size in SIZES]
    least = [float("inf")] * len(SIZES)
    for _ in range(10):
        found = [seconds(text, longest=SIZES[-1], looks=looks) for text, looks in zip(texts, LOOKS, strict=True)]
        least = [min(pair) for pair in zip(least, found, strict=True)]
        # Of one round, too: a moment in which the machine was quick may have met one size alone.
        if any(all(double < 3 * single for single, double in pairwise(costs)) for costs in (least, found)):
            return

    pytest.fail(f"{unit!r}: {least}")


def test_a_text_is_cut_before_it_is_looked_at() -> None:
    """A thousand times the length costs no more than a few times."""
    short, long = "#1@A-," * LONGEST, "#1@A-," * LONGEST * 1000

    assert seconds(long, longest=LONGEST) < 5 * seconds(short, longest=LONGEST)


PIECES = st.sampled_from(
    [*UNITS, *map(chr, range(32, 127)), "\n", "\t", "\u00a0", "\uff11", "<![CDATA[", "f" * 32, "0" * 20]
)


@settings(max_examples=60)
@given(st.lists(PIECES, min_size=1, max_size=4), st.lists(PIECES, max_size=3))
def test_any_mixture_costs_in_proportion(unit: list[str], before: list[str]) -> None:
    """Four times the length costs less than eight times, whatever pieces repeat: a square would be sixteen."""
    piece, start = "".join(unit), "".join(before)
    short, long = ((start + piece * (size // len(piece)))[:size] for size in (4096, 16384))

    assert any(seconds(long, longest=16384, looks=1) < 8 * seconds(short, longest=16384, looks=2) for _ in range(5))
