"""What the API server accepts, the runner accepts: the bounds in the CRD against the runner's own settings.

Resource and runner are two packages with two parsers, so there is no one source; here each bound that the generated
CRD states is tried on the runner, just inside and just outside.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
import pytest
import strategies
from hypothesis import given
from session_protocol.durations import format_duration, parse_duration
from session_protocol.environment import Variable
from session_protocol.live_settings import LiveSettings
from session_runner.settings import SettingsError, read_settings
from whatsapp_operator.api.base import SpecModel, manifest_name
from whatsapp_operator.api.crd.definitions import SESSION, root_schema
from whatsapp_operator.api.metadata import ObjectMeta
from whatsapp_operator.api.proxy import BrowserSpec, ProxySpec
from whatsapp_operator.api.session import SessionSpec, WhatsAppSession
from whatsapp_operator.api.spec import LinkSpec, TimeoutsSpec
from whatsapp_operator.core.model import Defaults
from whatsapp_operator.core.objects.container import runner_container

LIVE = {field.encode_name for field in msgspec.structs.fields(LiveSettings)}
SPEC: Mapping[str, Any] = root_schema(SESSION)["properties"]["spec"]["properties"]


def variables(block: type[SpecModel], *, of: type | None = None) -> dict[str, Variable]:
    """Return the fields of a block that the runner reads, by their names in the manifest: all, or those of one type."""
    return {
        manifest_name(name): mark
        for name, field in block.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Variable)
        if of is None or (isinstance(field.annotation, type) and issubclass(field.annotation, of))
    }


TIMEOUTS = variables(TimeoutsSpec)
COUNTS = variables(LinkSpec, of=int)
CHOICES = variables(LinkSpec, of=StrEnum)
OTHERS = variables(ProxySpec) | variables(BrowserSpec)
MILLISECOND = timedelta(milliseconds=1)


class Bounds(NamedTuple):
    """The shortest and the longest duration that a field may have."""

    shortest: timedelta
    longest: timedelta


def bounds(field: Mapping[str, Any]) -> Bounds:
    """Read the bounds of a duration out of the rules that the API server gets."""
    rules = " ".join(rule["rule"] for rule in field["x-kubernetes-validations"])
    [shortest] = re.findall(r"duration\(self\) >= duration\('(\w+)'\)", rules)
    [longest] = re.findall(r"duration\(self\) <= duration\('(\w+)'\)", rules)
    return Bounds(parse_duration(shortest), parse_duration(longest))


def environment(spec: SessionSpec) -> dict[str, str]:
    """The runner's environment in a pod made from this spec."""
    session = WhatsAppSession(metadata=ObjectMeta(name="sales", namespace="shop", uid="uid-1"), spec=spec)
    env = runner_container(session, Defaults(runner_image="r:1"))["env"]
    return {entry["name"]: entry.get("value", "pod-1") for entry in env}


def runner_takes(variable: Variable, value: str) -> bool:
    """Whether the runner starts with this value, rather than naming the variable in a refusal."""
    try:
        read_settings(environment(SessionSpec()) | {variable: value})
    except SettingsError as error:
        if not str(error).startswith(variable):
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("block", "field", "taken", "refused"),
    [
        ("proxy", "type", ["HTTP", "SOCKS5"], ["http", "SOCKS4"]),
        ("proxy", "port", ["1", "65535"], ["0", "65536"]),
        (
            "proxy",
            "host",
            ["proxy", f"{'x' * 63}.example.com", "10.0.0.5", "fd00::5"],
            ["a b", "-a", "x.", f"{'x' * 64}.example.com"],
        ),
        ("browser", "language", ["de", "zh-Hant-TW", "es-419"], ["DE", "de_DE", "de-de"]),
        ("browser", "timeZone", ["UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires"], ["Mars/Base", "America"]),
    ],
)
def test_both_take_the_same_of_proxy_and_browser(block: str, field: str, taken: list[str], refused: list[str]) -> None:
    """By the pattern of the schema, where it has one, and by the runner; the API server knows the zones by itself."""
    schema = SPEC[block]["properties"][field]
    [pattern] = re.findall(r"matches\('([^']*)'\)", str(schema.get("x-kubernetes-validations"))) or [None]
    matched = [value for value in (*taken, *refused) if pattern is not None and re.fullmatch(pattern, value)]

    assert taken == [value for value in (*taken, *refused) if runner_takes(OTHERS[field], value)]
    assert set(matched) <= {*taken, "Mars/Base"}


@pytest.mark.parametrize("block", ["timeouts", "link"])
def test_every_field_of_the_runners_blocks_has_its_variable(block: str) -> None:
    """One that is added to the resource is one for the runner, too; a Secret is mounted, a live setting sent to the pod."""
    own = {"timeouts": TIMEOUTS, "link": COUNTS | CHOICES}[block]
    others = {name for name in SPEC[block]["properties"] if name.endswith("SecretName") or name in LIVE}

    assert set(own) == set(SPEC[block]["properties"]) - others


@pytest.mark.parametrize("field", TIMEOUTS)
def test_both_have_the_same_bounds_for_a_timeout(field: str) -> None:
    """The runner takes the shortest and the longest that the API server takes, and not a millisecond beyond."""
    shortest, longest = bounds(SPEC["timeouts"]["properties"][field])
    tried = (shortest - MILLISECOND, shortest, longest, longest + MILLISECOND)

    assert [False, True, True, False] == [runner_takes(TIMEOUTS[field], format_duration(length)) for length in tried]


@pytest.mark.parametrize("name", COUNTS)
def test_both_have_the_same_bounds_for_a_count(name: str) -> None:
    """Such as how many rounds of QR codes there are."""
    field = SPEC["link"]["properties"][name]
    tried = (field["minimum"] - 1, field["minimum"], field["maximum"], field["maximum"] + 1)

    assert [False, True, True, False] == [runner_takes(COUNTS[name], str(count)) for count in tried]


@pytest.mark.parametrize("field", CHOICES)
def test_both_know_the_same_choices(field: str) -> None:
    """Each choice of the resource is one of the runner's, in the same spelling."""
    values = SPEC["link"]["properties"][field]["enum"]

    assert all(runner_takes(CHOICES[field], value) for value in values)
    with pytest.raises(SettingsError, match=f"must be one of {', '.join(values)}"):
        read_settings(environment(SessionSpec()) | {CHOICES[field]: "other"})


@given(spec=strategies.session_specs())
def test_no_accepted_spec_is_a_bad_configuration(spec: dict[str, Any]) -> None:
    """Whatever the API server accepts, the pod made from it starts, with the durations that were meant."""
    meant = SessionSpec.model_validate(spec)

    read = read_settings(environment(meant))

    assert meant.timeouts.startup.total_seconds() == pytest.approx(read.startup_timeout)
    assert meant.timeouts.health_check.total_seconds() == pytest.approx(read.health_check_timeout)
    assert meant.link.max_rounds == read.link_max_rounds
