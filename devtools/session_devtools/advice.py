"""What a person can do about the failures of other programs that are no fault of theirs: a full disk, a broken line.

Pure: read off what the program said. Whoever runs something long asks here before it shows a log.
"""

import re

__all__ = ["advice", "with_advice"]

ENOUGH = 64 << 10  # characters of the end of an output; the reason stands in its last lines
CAUSES = (
    (
        re.compile(r"no space left on device|not enough (free )?space|disk quota exceeded", re.IGNORECASE),
        (
            "the disk is full: free some gigabytes, or name a folder on another disk with WHATSAPP_OPERATOR_CACHE, and run the "
            "same command again; what is done stays done"
        ),
    ),
    (
        re.compile(
            r"dial tcp|i/o timeout|TLS handshake timeout|connection (?:refused|reset)|no such host|unexpected EOF"
            r"|Temporary failure (?:in name resolution|resolving)|Could not (?:resolve|connect)|Failed to (?:fetch|establish)"
            r"|Max retries exceeded|Read timed out|Couldn't download|network is unreachable|proxyconnect",
            re.IGNORECASE,
        ),
        (
            "something could not be downloaded: look at the network, its proxy and the mirrors that apt, pip and Go are set up "
            "with, and run the same command again; it goes on from there"
        ),
    ),
)


def advice(output: str) -> str:
    """The sentence for what a program that failed has said; empty when its own words have to do. Pure."""
    end = output[-ENOUGH:]
    return next((sentence for cause, sentence in CAUSES if cause.search(end)), "")


def with_advice(what: str, output: str) -> str:
    """An error's text: what failed, what to do if that is known, and the end of what the program said. Pure."""
    sentence = advice(output)
    return f"{what}: {sentence}\n{output}" if sentence else f"{what}:\n{output}"
