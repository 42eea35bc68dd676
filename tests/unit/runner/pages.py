"""The shapes a page takes, as the probe reports them; shared by the tests of the runner's pure part.

`LEGACY` and `MODERN` are complete answers of a healthy page of either generation; `looks` changes single keys of one.
The generations differ in what the page has: the legacy page has neither the tab mutex nor the comms module in reach.
"""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from session_runner.states.facts import Facts

Raw = dict[str, Any]

quick = settings(max_examples=min(60, settings().max_examples), deadline=None)
""" For property tests: a busy machine may take its time, the whole suite may not. """

MODERN: Raw = {
    "booted": True,
    "refused": False,
    "injected": True,
    "origin": 1.0,
    "clockMs": None,
    "registered": True,
    "account": None,
    "socket": "CONNECTED",
    "stream": "CONNECTED",
    "synced": True,
    "online": True,
    "needsUpdate": False,
    "version": "2.3000.1",
    "document": None,
    "foreignMutex": False,
    "lostMutex": False,
    "wasLetIn": True,
    "comms": True,
    "code": None,
    "codeLifetimeMs": None,
    "codeAgeMs": None,
    "passkey": None,
    "dialog": None,
    "ban": None,
    "unavailable": False,
    "logoutReason": None,
    "storageFailed": False,
    "timeLocked": False,
    "capped": False,
    "deprecated": False,
    "termsBlocked": False,
    "restrictedUntil": None,
}
ARRIVED: Raw = {"isError": False, "status": 200, "host": "web.whatsapp.com", "complete": True, "isApp": True}
""" The document of a page that is all there and has not come up yet. """
ERROR_PAGE: Raw = {"isError": True, "status": None, "host": "chromewebdata", "complete": True, "isApp": False}
LEGACY: Raw = MODERN | {"comms": None, "version": "2.2413.51"}

UNLINKED: Raw = {"registered": False, "socket": "UNPAIRED", "stream": "DISCONNECTED", "synced": False}
CODE = "2@abc,def,ghi,jkl,1"


def looks(shape: Raw, **changes: Any) -> Facts:
    """Read a page of that shape with some keys changed."""
    return Facts.parse(shape | changes)


_texts = st.one_of(
    st.none(),
    st.sampled_from(
        ["UNLAUNCHED", "OPENING", "PAIRING", "UNPAIRED", "UNPAIRED_IDLE", "CONNECTED", "SCREEN_LOCKED", "CONFLICT"]
    ),
    st.text(max_size=12),
)
_maybe = st.one_of(st.none(), st.booleans())
_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)

raw_answers = st.one_of(
    _json,
    st.fixed_dictionaries({}, optional=dict.fromkeys(MODERN, _json)),
)
""" Anything at all, and the right keys with anything at all. """

page_facts = st.builds(
    Facts.parse,
    st.fixed_dictionaries(
        {},
        optional={
            "booted": st.booleans(),
            "refused": st.booleans(),
            "injected": st.booleans(),
            "registered": _maybe,
            "account": st.sampled_from([None, "15550100000@c.us", "odd"]),
            "socket": _texts,
            "stream": st.sampled_from(["DISCONNECTED", "SYNCING", "RESUMING", "CONNECTED", None, "ODD"]),
            "synced": st.booleans(),
            "online": _maybe,
            "needsUpdate": st.booleans(),
            "document": st.one_of(
                st.none(),
                st.fixed_dictionaries(
                    {},
                    optional={
                        "isError": st.booleans(),
                        "status": st.sampled_from([None, 200, 302, 407, 503]),
                        "host": st.sampled_from([None, "web.whatsapp.com", "portal.example"]),
                        "complete": st.booleans(),
                        "isApp": st.booleans(),
                        "waitsFor": st.sampled_from([None, "static.whatsapp.net"]),
                        "script": st.sampled_from([None, {"host": "static.whatsapp.net", "status": 404}]),
                    },
                ),
            ),
            "foreignMutex": st.booleans(),
            "lostMutex": st.booleans(),
            "otherScreen": st.booleans(),
            "wasLetIn": st.booleans(),
            "comms": _maybe,
            "code": st.sampled_from([None, CODE]),
            "origin": st.sampled_from([None, 1.0, 2.0]),
            "codeLifetimeMs": st.sampled_from([None, 20_000]),
            "passkey": st.sampled_from([None, {"until": None}, {"until": 1_800_000_000}]),
            "dialog": st.sampled_from([None, "OtherWindow", "PasskeyCheck", "WhatsNew", "Other", "Odd"]),
            "ban": st.sampled_from([None, {"code": 402, "expire": 1_800_000_000}, {}]),
            "unavailable": st.booleans(),
            "logoutReason": st.sampled_from([None, "account_locked", "syncd_failure", "a word of later"]),
            "storageFailed": st.booleans(),
            "timeLocked": st.booleans(),
            "capped": st.booleans(),
            "deprecated": st.booleans(),
            "termsBlocked": st.booleans(),
            "clockMs": st.sampled_from([None, 1_764_460_800_000]),
            "restrictedUntil": st.sampled_from([None, 1_800_000_000.0, 5.0]),
        },
    ),
)
""" Snapshots of a page that is well-formed but may be in any state, also impossible ones. """
