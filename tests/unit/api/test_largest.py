"""The largest session that the schema admits has at most 72 KiB: what a tenant may put into the operator's memory."""

import json
from typing import Any

import pytest
from largest import KEY, UnboundedError, largest
from whatsapp_operator.api.bounds import MAX_KEY_LENGTH
from whatsapp_operator.api.crd.definitions import SESSION, root_schema
from whatsapp_operator.api.session import WhatsAppSession

LIMIT = 72 * 1024
SPEC = root_schema(SESSION)["properties"]["spec"]
WORST = 6
""" Bytes that one character may take in JSON: \\u003c. """


def test_it_fits_72_kib() -> None:
    """Every list, map and text at its end, with a name and a namespace of their longest."""
    metadata = {"name": "x" * 52, "namespace": "x" * 63, "uid": "x" * 36, "resourceVersion": "9" * 20}
    whole = {"apiVersion": "x" * 30, "kind": "WhatsAppSession", "metadata": metadata, "spec": largest(SPEC)}

    assert LIMIT // 2 < len(json.dumps(whole)) <= LIMIT


def test_so_it_does_with_characters_that_take_six_bytes() -> None:
    """Only annotations are free text, and these have a bound altogether; an address may have 15 ampersands; the rest is plain."""
    spec = largest(SPEC)
    annotations = spec["pod"].pop("annotations")
    rules = SPEC["properties"]["pod"]["properties"]["annotations"]["x-kubernetes-validations"]
    ampersands = len(spec["webhooks"]) * 15
    (altogether,) = [int(rule["rule"].rpartition(" ")[2]) for rule in rules if ".sum()" in rule["rule"]]

    assert (
        len(json.dumps(spec))
        + len(json.dumps(dict.fromkeys(annotations, "")))
        + WORST * (altogether + ampersands)
        + 500
        <= LIMIT
    )


def test_keys_are_as_long_as_the_rule_says() -> None:
    """The one bound that the schema cannot name."""
    assert MAX_KEY_LENGTH == KEY


def test_a_field_without_an_end_is_found() -> None:
    """A field added without a bound fails here and does not pass as nothing."""
    with pytest.raises(UnboundedError, match="maxLength"):
        largest({"type": "object", "properties": {"note": {"type": "string"}}})


@pytest.mark.parametrize("count", [16, 200])
def test_a_session_from_before_is_read_as_ever(count: int) -> None:
    """What was stored under wider bounds is no error of its own: its pod is made as before."""
    pod: dict[str, Any] = {
        "annotations": {f"example.com/note-{number}": "x" * 60000 for number in range(count)},
        "tolerations": [{"key": "k" * 300, "operator": "Exists"}] * count,
        "nodeSelector": {f"{'n' * 200}/{number}": "v" for number in range(count)},
    }

    session = WhatsAppSession.parse({"metadata": {"name": "old"}, "spec": {"pod": pod}})

    assert () == session.problems
    assert pod["annotations"] == session.spec.pod.annotations
