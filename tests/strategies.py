"""Shared hypothesis strategies: what people write in a manifest, and what may stand in a stored object.

Every property test of the API draws from here, so that a new field or a new form is added in one place and all tests
meet it; `secret_strategies` has what must not be read in a log. Four kinds:

* texts: `quantity_texts`, `duration_texts`, `names`, `moments`;
* what the API server accepts: `session_specs`, `quota_specs` (manifests as dictionaries), `session_manifests`;
* what it may have stored under another schema: `json_values`, `stored_objects`, anything at all below known names;
* models: `conditions`, `session_statuses`.

Importing this module also takes the clock out of property tests: on a machine with more work than processors a slow
example is no finding, and pytest's timeout ends one that hangs.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from session_protocol.durations import format_duration
from session_protocol.quantities import MI, format_quantity
from session_protocol.vocabulary import CallHandling, GroupEvents, ProxyType, ReadMarking, WebhookEvent, WebhookFormat
from whatsapp_operator.api.conditions import Condition, ConditionStatus, ConditionType
from whatsapp_operator.api.constants import API_VERSION, SESSION_KIND
from whatsapp_operator.api.session import (
    AccessMode,
    AdmissionStatus,
    LastFailure,
    LinkMethod,
    LinkStatus,
    OnLogout,
    OperatingMode,
    RecoveryStatus,
    Retention,
    SessionStatus,
)

settings.register_profile("loaded machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("loaded machine")
Manifest = dict[str, Any]
LABEL = "[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?"

# --- texts


def names() -> st.SearchStrategy[str]:
    """DNS labels, digits first included."""
    return st.from_regex(LABEL, fullmatch=True)


def moments() -> st.SearchStrategy[datetime]:
    """Points in time with whole seconds, as the API server keeps them."""
    return st.datetimes(
        min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone itself
        max_value=datetime(2099, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ).map(lambda moment: moment.replace(microsecond=0))


def durations(
    longest: timedelta = timedelta(hours=24), *, shortest: timedelta = timedelta(seconds=1)
) -> st.SearchStrategy[timedelta]:
    """Lengths that a manifest can say, in whole milliseconds and within the bounds."""
    shortest_ms, longest_ms = (int(bound.total_seconds() * 1000) for bound in (shortest, longest))
    return st.integers(shortest_ms, longest_ms).map(lambda count: timedelta(milliseconds=count))


def duration_texts() -> st.SearchStrategy[str]:
    """Every form of a duration, the odd ones included ("0h5s", "90m", "5s5s")."""
    return st.from_regex("([0-9]{1,5}(h|m|s|ms)){1,4}", fullmatch=True)


def quantity_texts() -> st.SearchStrategy[str]:
    """Every form of a quantity: signs, fractions, exponents, all suffixes."""
    numbers = st.from_regex(r"[+-]?([0-9]{1,12}(\.[0-9]{0,10})?|\.[0-9]{1,10})", fullmatch=True)
    exponents = st.builds("{}{}".format, st.sampled_from("eE"), st.integers(-20, 20))
    suffixes = st.sampled_from(["", *"numkMGTPE", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"])
    return st.builds("{}{}".format, numbers, st.one_of(suffixes, exponents))


def near_quantity_texts() -> st.SearchStrategy[str]:
    """Texts made of a quantity's characters, most of which are none."""
    return st.text("0123456789.+-eEKMGTPikmnu", max_size=8)


def memory_amounts(*, at_least: int) -> st.SearchStrategy[Decimal]:
    """Bytes, from this many mebibytes."""
    return st.integers(at_least, 64 * 1024).map(lambda count: count * MI)


# --- what the API server accepts


def _optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Manifest]:
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def _resources(draw: st.DrawFn) -> Manifest:
    """Any of the amounts left out; a limit never below the request beside it."""
    disk = sorted(draw(st.tuples(memory_amounts(at_least=256), memory_amounts(at_least=256))))
    memory = sorted(draw(st.tuples(memory_amounts(at_least=256), memory_amounts(at_least=256))))
    cpu = sorted(draw(st.tuples(st.integers(1, 64_000), st.integers(1, 64_000))))
    amounts = {
        ("requests", "memory"): format_quantity(memory[0]),
        ("limits", "memory"): format_quantity(memory[1]),
        ("requests", "cpu"): draw(st.sampled_from([f"{cpu[0]}m", format_quantity(Decimal(cpu[0]) / 1000)])),
        ("limits", "cpu"): format_quantity(Decimal(cpu[1]) / 1000),
        ("requests", "ephemeralStorage"): format_quantity(disk[0]),
        ("limits", "ephemeralStorage"): format_quantity(disk[1]),
    }
    resources: Manifest = {}
    for side, name in draw(st.sets(st.sampled_from(sorted(amounts)))):
        resources.setdefault(side, {})[name] = amounts[side, name]
    return resources


def _profiles() -> st.SearchStrategy[Manifest]:
    modes = st.sampled_from([str(mode) for mode in AccessMode])
    ours = _optional(
        size=memory_amounts(at_least=1).map(format_quantity),
        storageClassName=st.one_of(st.just(""), names()),
        accessMode=modes,
        retention=st.sampled_from([str(retention) for retention in Retention]),
    )
    theirs = st.fixed_dictionaries(
        {"existingClaim": names()}, optional={"accessMode": modes, "retention": st.just("Retain")}
    )
    return st.one_of(ours, theirs)


def _texts(length: int = 20) -> st.SearchStrategy[str]:
    return st.text("abcXYZ019-_. é", max_size=length)


def _label_maps() -> st.SearchStrategy[dict[str, str]]:
    keys = st.builds("{}{}".format, st.sampled_from(["", "example.com/", "a.b/"]), names())
    return st.dictionaries(keys, names(), max_size=3)


def _affinities() -> st.SearchStrategy[Manifest]:
    requirement = st.fixed_dictionaries(
        {
            "key": names(),
            "operator": st.sampled_from(["In", "NotIn"]),
            "values": st.lists(names(), min_size=1, max_size=2),
        }
    )
    field = st.fixed_dictionaries(
        {
            "key": st.just("metadata.name"),
            "operator": st.just("In"),
            "values": st.lists(names(), min_size=1, max_size=1),
        }
    )
    term = _optional(matchExpressions=st.lists(requirement, max_size=2), matchFields=st.lists(field, max_size=1))
    selector = _optional(matchLabels=_label_maps(), matchExpressions=st.lists(requirement, max_size=1))
    pods = st.fixed_dictionaries(
        {"topologyKey": names()}, optional={"labelSelector": selector, "namespaces": st.lists(names(), max_size=2)}
    )
    required, preferred = (f"{kind}DuringSchedulingIgnoredDuringExecution" for kind in ("required", "preferred"))
    weight = st.integers(1, 100)
    near = st.fixed_dictionaries({"weight": weight, "podAffinityTerm": pods})
    nodes = st.fixed_dictionaries({"weight": weight, "preference": term})
    pod_affinity = _optional(**{required: st.lists(pods, max_size=2), preferred: st.lists(near, max_size=1)})
    return _optional(
        nodeAffinity=_optional(
            **{
                required: st.fixed_dictionaries({"nodeSelectorTerms": st.lists(term, min_size=1, max_size=2)}),
                preferred: st.lists(nodes, max_size=2),
            }
        ),
        podAffinity=pod_affinity,
        podAntiAffinity=pod_affinity,
    )


def _spreads() -> st.SearchStrategy[list[Manifest]]:
    """Constraints of different places; keys of labels that are nobody's, so that none is named twice."""
    policies = st.sampled_from(["Honor", "Ignore"])
    more = {
        "labelSelector": _optional(matchLabels=_label_maps()),
        "nodeAffinityPolicy": policies,
        "nodeTaintsPolicy": policies,
        "matchLabelKeys": st.lists(names().map("keys.example.com/{}".format), max_size=2, unique=True),
    }
    counts = st.integers(1, 2**31 - 1)
    preferred_spread = st.fixed_dictionaries(
        {"maxSkew": counts, "topologyKey": names(), "whenUnsatisfiable": st.just("ScheduleAnyway")}, optional=more
    )
    required_spread = st.fixed_dictionaries(
        {"maxSkew": counts, "topologyKey": names(), "whenUnsatisfiable": st.just("DoNotSchedule")},
        optional={**more, "minDomains": counts},
    )
    return st.lists(
        st.one_of(preferred_spread, required_spread), max_size=2, unique_by=lambda each: each["topologyKey"]
    )


def _resolvers() -> st.SearchStrategy[Manifest]:
    """What is said of the resolver: policy and configuration, which go together."""
    addresses = st.ip_addresses(v=4).map(str) | st.from_regex("fd00::[1-9a-f]{1,4}", fullmatch=True)
    option = st.fixed_dictionaries({"name": names()}, optional={"value": names()})
    more = {
        "searches": st.lists(names().map("{}.example.com".format), max_size=3),
        "options": st.lists(option, max_size=2),
    }
    some = st.lists(addresses, min_size=1, max_size=3)
    alone = st.fixed_dictionaries({"nameservers": some}, optional=more)
    return st.one_of(
        _optional(
            dnsPolicy=st.sampled_from(["ClusterFirst", "Default"]), dnsConfig=_optional(nameservers=some, **more)
        ),
        st.fixed_dictionaries({"dnsPolicy": st.just("None"), "dnsConfig": alone}),
    )


def _pods() -> st.SearchStrategy[Manifest]:
    forms = st.one_of(
        st.fixed_dictionaries({"operator": st.just("Exists")}, optional={"key": names()}),
        st.fixed_dictionaries({"key": names(), "value": names()}, optional={"operator": st.just("Equal")}),
    )
    effects = st.one_of(
        _optional(effect=st.sampled_from(["NoSchedule", "PreferNoSchedule"])),
        st.fixed_dictionaries({"effect": st.just("NoExecute"), "tolerationSeconds": st.integers(-10, 10_000)}),
    )
    toleration = st.builds(lambda form, effect: {**form, **effect}, forms, effects)
    options = _optional(
        image=st.from_regex(r"[a-z0-9./:-]{1,40}", fullmatch=True),
        imagePullSecrets=st.lists(
            names().map(lambda name: {"name": name}), max_size=2, unique_by=lambda ref: ref["name"]
        ),
        nodeSelector=_label_maps(),
        tolerations=st.lists(toleration, max_size=2),
        affinity=_affinities(),
        topologySpreadConstraints=_spreads(),
        schedulerName=names(),
        priorityClassName=names(),
        runtimeClassName=names(),
        labels=_label_maps(),
        annotations=st.dictionaries(names(), _texts(), max_size=3),
    )
    return st.builds(lambda chosen, resolver: {**chosen, **resolver}, options, _resolvers())


def _webhooks() -> st.SearchStrategy[list[Manifest]]:
    header = st.fixed_dictionaries({"name": st.sampled_from(["X-Team", "X-Way"]), "value": st.just("a b")})
    urls = ["https://hooks.example.com/a?b=c", "http://n8n.automation.svc:5678", "https://[fd00::5]/"]
    webhook: st.SearchStrategy[Manifest] = st.fixed_dictionaries(
        {
            "name": st.sampled_from(["bot", "archive", "n8n-2"]),
            "url": st.sampled_from(urls),
            "format": st.sampled_from([str(kind) for kind in WebhookFormat]),
            "events": st.lists(st.sampled_from([str(event) for event in WebhookEvent]), min_size=1, unique=True),
            "secretName": names(),
        },
        optional={
            "groups": st.sampled_from([str(choice) for choice in GroupEvents]),
            "headers": st.lists(header, max_size=2, unique_by=lambda each: each["name"]),
        },
    )
    return st.lists(webhook, max_size=2, unique_by=lambda each: each["name"])


def _messaging() -> st.SearchStrategy[Manifest]:
    numbers = {"burst": st.integers(1, 100), "interval": durations(timedelta(minutes=1)).map(format_duration)}
    contacts = _optional(**numbers, perDay=st.integers(1, 10_000))
    of_one = {"type": st.just("Custom"), "custom": _optional(firstContacts=contacts, messages=_optional(**numbers))}
    rest = {"interactive": st.just("NumberedText"), "mediaLimits": _optional(video=st.just("64Mi"))}
    rest["readMarks"] = st.sampled_from([str(choice) for choice in ReadMarking])
    return _optional(pacing=_optional(type=st.just("None")) | st.fixed_dictionaries(of_one), **rest)


def session_specs() -> st.SearchStrategy[Manifest]:
    """Specs that the API server accepts, most fields left out most of the time."""
    length = durations().map(format_duration)
    answer = durations(shortest=timedelta(seconds=3)).map(format_duration)
    return _optional(
        operatingMode=st.sampled_from([str(mode) for mode in OperatingMode]),
        replicas=st.just(1),
        quotaName=names(),
        priority=st.integers(-(2**31), 2**31 - 1),
        resources=_resources(),
        profile=_profiles(),
        link=_optional(
            method=st.sampled_from([str(method) for method in LinkMethod]),
            maxRounds=st.integers(1, 1000),
            onLogout=st.sampled_from([str(choice) for choice in OnLogout]),
        ),
        proxy=st.fixed_dictionaries(
            {
                "host": names() | st.just("proxy.example.com") | st.ip_addresses(v=4).map(str),
                "port": st.integers(1, 65535),
            },
            optional={"type": st.sampled_from([str(kind) for kind in ProxyType]), "loginSecretName": names()},
        ),
        browser=_optional(
            language=st.sampled_from(["pt-BR", "de", "zh-Hant-TW", "es-419", "fil"]),
            timeZone=st.sampled_from(["America/Sao_Paulo", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"]),
        ),
        messaging=_messaging(),
        webhooks=_webhooks(),
        calls=st.sampled_from([str(choice) for choice in CallHandling]),
        recovery=_optional(
            maxAttempts=st.integers(1, 100),
            baseDelay=durations(timedelta(minutes=5)).map(format_duration),
            healthyAfter=length,
        ),
        timeouts=_optional(startup=length, launch=length, protocol=length, connectionCheck=length, healthCheck=answer),
        pod=_pods(),
    )


def quota_specs() -> st.SearchStrategy[Manifest]:
    """Quota specs that the API server accepts."""
    counts, memory = st.integers(0, 2**31 - 1), memory_amounts(at_least=256).map(format_quantity)
    return _optional(sessions=counts, memory=memory, storage=memory, sessionsPerNamespace=counts)


def session_manifests(namespace: str = "default") -> st.SearchStrategy[Manifest]:
    """Whole sessions that the API server accepts."""
    return st.builds(
        lambda name, spec: {
            "apiVersion": API_VERSION,
            "kind": SESSION_KIND,
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
        },
        names(),
        session_specs(),
    )


# --- what may have been stored under another schema


def json_values() -> st.SearchStrategy[Any]:
    """Anything that JSON can say."""
    scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
    )


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[Any]) -> Any:
    """The value with something unexpected in place of one of its parts."""
    value = draw(whole)
    if not isinstance(value, dict | list) or not value or draw(st.booleans()):
        return draw(json_values())
    place = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    part = draw(damaged(st.just(value[place])))
    return {**value, place: part} if isinstance(value, dict) else [*value[:place], part, *value[place + 1 :]]


def _metadata() -> st.SearchStrategy[Manifest]:
    return _optional(name=names(), namespace=names(), uid=names(), generation=st.integers(0, 99), labels=_label_maps())


def stored_metadata() -> st.SearchStrategy[Any]:
    """Metadata with unexpected contents, at any depth."""
    return damaged(_metadata())


def stored_objects() -> st.SearchStrategy[Manifest]:
    """Objects under the right kind with unexpected contents, at any depth."""
    sound = st.fixed_dictionaries(
        {"metadata": _metadata()},
        optional={"spec": session_specs(), "status": session_statuses().map(lambda status: status.to_dict())},
    )
    return st.one_of(sound, damaged(sound).filter(lambda value: isinstance(value, dict)))


# --- models


def conditions() -> st.SearchStrategy[Condition]:
    """Conditions of known and of unknown types."""
    return st.builds(
        Condition,
        type=st.one_of(st.sampled_from([str(kind) for kind in ConditionType]), st.sampled_from(["Other", "Another"])),
        status=st.sampled_from(ConditionStatus),
        reason=st.from_regex("[A-Z][A-Za-z]{0,10}", fullmatch=True),
        message=_texts(),
        last_transition_time=moments(),
        observed_generation=st.none() | st.integers(0, 99),
    )


def session_statuses() -> st.SearchStrategy[SessionStatus]:
    """Statuses as the operator writes them."""
    name, moment, count = st.none() | names(), st.none() | moments(), st.integers(0, 99)
    failure = st.builds(
        LastFailure,
        reason=name,
        exit_code=st.none() | st.integers(0, 255),
        time=moment,
        message=st.none() | _texts(),
    )
    return st.builds(
        SessionStatus,
        observed_generation=st.none() | count,
        conditions=st.lists(conditions(), max_size=4, unique_by=lambda condition: condition.type).map(tuple),
        state=st.none() | st.from_regex("[A-Z][A-Za-z0-9]{0,62}", fullmatch=True),
        pod_name=name,
        pod_uid=name,
        pvc_name=name,
        node_name=name,
        replicas=st.integers(0, 1),
        link=st.none()
        | st.builds(
            LinkStatus,
            linked_time=moment,
            durable_time=moment,
            round=st.none() | count,
            logout_time=moment,
            expired_time=moment,
        ),
        admission=st.none()
        | st.builds(AdmissionStatus, quotaName=names(), reserved_at=moment, memory=memory_amounts(at_least=256)),
        recovery=st.none()
        | st.builds(
            RecoveryStatus,
            consecutive_failures=count,
            last_failure=st.none() | failure,
            next_attempt_time=moment,
            restarts=count,
        ),
    )
