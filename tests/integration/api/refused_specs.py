"""What the API server refuses of a session's spec, each at its field and with the text that a person then reads."""

from typing import Any

from integration.api.refusal_messages import (
    ADDRESS,
    ANNOTATIONS,
    ANSWER,
    CLASS,
    CPU,
    DAY,
    DELAY,
    DISK,
    DISK_REQUEST,
    DOMAIN,
    DURATION,
    EVERY,
    FILE_SIZE,
    IMAGE,
    KEY,
    KEYS,
    LIMIT,
    LONG_KEY,
    MAKES,
    NONE,
    NOT_OURS,
    NUMBER,
    ONE,
    OPTION,
    OPTION_VALUE,
    PLACE,
    PLACES,
    PLAIN,
    QUANTITY,
    REQUEST,
    RESERVED,
    RESOLVER,
    SECOND,
    SHORTER,
    SIZE,
    SOME,
    STAYS,
    VALUE,
)
from integration.api.refused_messaging import MESSAGING, SCHEMA_OF_MESSAGING
from integration.api.refused_surroundings import SCHEMA_OF_PROXY, SURROUNDINGS
from integration.api.refused_webhooks import SCHEMA_OF_WEBHOOKS, WEBHOOKS


def a_name(kind: str) -> str:
    """The text for what is no object's name."""
    return f"must be the name of {kind}: lower case letters, digits, '-' and '.', beginning and ending with a letter or digit"


AMOUNTS = ("memory", "cpu", "ephemeral storage")
"""Their rule computes its text; the one that stands in the CRD is what is shown should that fail."""


def below(name: str, limit: str, request: str) -> str:
    """The text for a limit below its request."""
    return f"the {name} limit {limit} is below the {name} request {request}: raise the limit or lower the request"


def limits(**amounts: Any) -> dict[str, Any]:
    """A spec with these limits."""
    return {"resources": {"limits": amounts}}


def requests(**amounts: Any) -> dict[str, Any]:
    """A spec with these requests."""
    return {"resources": {"requests": amounts}}


def both(name: str, request: Any, limit: Any) -> dict[str, Any]:
    """A spec with a request and a limit."""
    return {"resources": {"requests": {name: request}, "limits": {name: limit}}}


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
ON_NODES = f"spec.pod.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].values"
NEAR_PODS = f"spec.pod.affinity.podAffinity.{REQUIRED}[0].labelSelector.matchExpressions[0].values"


def requirement(operator: str, values: list[str] | None) -> dict[str, Any]:
    """A condition on a label."""
    return {"key": "disk", "operator": operator} | ({} if values is None else {"values": values})


def on_nodes(operator: str, values: list[str] | None = None) -> dict[str, Any]:
    """A spec whose pod may only run on such nodes."""
    terms = [{"matchExpressions": [requirement(operator, values)]}]
    return {"pod": {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}}}


def near_pods(operator: str, values: list[str] | None = None) -> dict[str, Any]:
    """A spec whose pod may only run near to such pods."""
    selector = {"matchExpressions": [requirement(operator, values)]}
    return {"pod": {"affinity": {"podAffinity": {REQUIRED: [{"topologyKey": "zone", "labelSelector": selector}]}}}}


def constraint(number: int = 0, **more: Any) -> dict[str, Any]:
    """A topology spread constraint of the place of this number."""
    return {"maxSkew": 1, "topologyKey": f"zone-{number}", "whenUnsatisfiable": "DoNotSchedule"} | more


def spread(**more: Any) -> dict[str, Any]:
    """A spec with one topology spread constraint."""
    return {"pod": {"topologySpreadConstraints": [constraint(**more)]}}


def resolver(**config: Any) -> dict[str, Any]:
    """A spec with such a dnsConfig."""
    return {"pod": {"dnsConfig": config}}


SPREAD = "spec.pod.topologySpreadConstraints[0]"
DNS = "spec.pod.dnsConfig"
RULES: list[tuple[dict[str, Any], str, str]] = [
    # amounts that are none
    ({"messaging": {"mediaLimits": {"video": "big"}}}, "spec.messaging.mediaLimits.video", QUANTITY),
    ({"messaging": {"mediaLimits": {"video": "101Mi"}}}, "spec.messaging.mediaLimits.video", FILE_SIZE),
    ({"messaging": {"mediaLimits": {"image": 0}}}, "spec.messaging.mediaLimits.image", FILE_SIZE),
    (limits(memory="lots"), "spec.resources.limits.memory", QUANTITY),
    (limits(memory="1 Gi"), "spec.resources.limits.memory", QUANTITY),
    (limits(memory=""), "spec.resources.limits.memory", QUANTITY),
    (limits(cpu="half"), "spec.resources.limits.cpu", QUANTITY),
    (requests(memory="1GB"), "spec.resources.requests.memory", QUANTITY),
    (requests(cpu="1K"), "spec.resources.requests.cpu", QUANTITY),
    ({"profile": {"size": "big"}}, "spec.profile.size", QUANTITY),
    # too little, nothing, less than nothing
    (limits(memory="255Mi"), "spec.resources.limits.memory", LIMIT),
    (limits(memory="268435455"), "spec.resources.limits.memory", LIMIT),
    (limits(memory=1), "spec.resources.limits.memory", LIMIT),
    (limits(memory=0), "spec.resources.limits.memory", LIMIT),
    (limits(memory="-1Gi"), "spec.resources.limits.memory", LIMIT),
    (requests(memory="-5Mi"), "spec.resources.requests.memory", REQUEST),
    (requests(memory=0), "spec.resources.requests.memory", REQUEST),
    (requests(memory="384m"), "spec.resources.requests.memory", REQUEST),
    (limits(ephemeralStorage="255Mi"), "spec.resources.limits.ephemeralStorage", DISK),
    (limits(ephemeralStorage="-1Gi"), "spec.resources.limits.ephemeralStorage", DISK),
    (requests(ephemeralStorage=0), "spec.resources.requests.ephemeralStorage", DISK_REQUEST),
    (limits(ephemeralStorage="much"), "spec.resources.limits.ephemeralStorage", QUANTITY),
    (limits(cpu=0), "spec.resources.limits.cpu", CPU),
    (limits(cpu="-1"), "spec.resources.limits.cpu", CPU),
    (requests(cpu="0"), "spec.resources.requests.cpu", CPU),
    (requests(cpu="500u"), "spec.resources.requests.cpu", CPU),
    ({"profile": {"size": 0}}, "spec.profile.size", SIZE),
    ({"profile": {"size": "-1Gi"}}, "spec.profile.size", SIZE),
    # a limit below its request
    (both("memory", "400Mi", "300Mi"), "spec.resources.limits.memory", below("memory", "300Mi", "400Mi")),
    (both("memory", "1Gi", 1073741823), "spec.resources.limits.memory", below("memory", "1073741823", "1Gi")),
    (both("cpu", 1, "999m"), "spec.resources.limits.cpu", below("cpu", "999m", "1")),
    (
        both("ephemeralStorage", "2Gi", "1Gi"),
        "spec.resources.limits.ephemeralStorage",
        below("ephemeral storage", "1Gi", "2Gi"),
    ),
    # durations
    ({"timeouts": {"launch": "5 days"}}, "spec.timeouts.launch", DURATION),
    ({"timeouts": {"startup": "1w"}}, "spec.timeouts.startup", DURATION),
    ({"timeouts": {"protocol": "P1D"}}, "spec.timeouts.protocol", DURATION),
    ({"timeouts": {"healthCheck": "-5s"}}, "spec.timeouts.healthCheck", DURATION),
    ({"timeouts": {"connectionCheck": "1.5m"}}, "spec.timeouts.connectionCheck", DURATION),
    ({"timeouts": {"launch": "30"}}, "spec.timeouts.launch", DURATION),
    ({"timeouts": {"launch": ""}}, "spec.timeouts.launch", DURATION),
    ({"timeouts": {"launch": "0s"}}, "spec.timeouts.launch", SECOND),
    ({"timeouts": {"launch": "0h0ms"}}, "spec.timeouts.launch", SECOND),
    ({"timeouts": {"launch": "24h1ms"}}, "spec.timeouts.launch", DAY),
    ({"recovery": {"healthyAfter": "soon"}}, "spec.recovery.healthyAfter", DURATION),
    ({"recovery": {"baseDelay": "0s"}}, "spec.recovery.baseDelay", SECOND),
    ({"recovery": {"baseDelay": "5m1s"}}, "spec.recovery.baseDelay", DELAY),
    ({"recovery": {"baseDelay": "500ms"}}, "spec.recovery.baseDelay", SECOND),
    ({"recovery": {"healthyAfter": "1ms"}}, "spec.recovery.healthyAfter", SECOND),
    ({"recovery": {"healthyAfter": "25h"}}, "spec.recovery.healthyAfter", DAY),
    ({"timeouts": {"startup": "60ms"}}, "spec.timeouts.startup", SECOND),
    ({"timeouts": {"protocol": "999ms"}}, "spec.timeouts.protocol", SECOND),
    ({"timeouts": {"connectionCheck": "0s"}}, "spec.timeouts.connectionCheck", SECOND),
    ({"timeouts": {"healthCheck": "2999ms"}}, "spec.timeouts.healthCheck", ANSWER),
    ({"timeouts": {"healthCheck": "0s"}}, "spec.timeouts.healthCheck", ANSWER),
    ({"timeouts": {"healthCheck": "1441m"}}, "spec.timeouts.healthCheck", DAY),
    # the profile
    ({"pod": {"image": "rünner:1"}}, "spec.pod.image", IMAGE),
    ({"pod": {"annotations": {f"n{number}": "x" * 700 for number in range(4)}}}, "spec.pod.annotations", ANNOTATIONS),
    ({"pod": {"annotations": {LONG_KEY: ""}}}, "spec.pod.annotations", SHORTER),
    ({"pod": {"labels": {LONG_KEY: ""}}}, "spec.pod.labels", SHORTER),
    ({"pod": {"nodeSelector": {LONG_KEY: ""}}}, "spec.pod.nodeSelector", SHORTER),
    ({"pod": {"tolerations": [{"key": "a b"}]}}, "spec.pod.tolerations[0].key", PLAIN),
    ({"profile": {"existingClaim": "mine", "size": "1Gi"}}, "spec.profile.existingClaim", MAKES),
    ({"profile": {"existingClaim": "mine", "storageClassName": "fast"}}, "spec.profile.existingClaim", MAKES),
    ({"profile": {"existingClaim": "mine", "retention": "Delete"}}, "spec.profile.retention", NOT_OURS),
    ({"profile": {"existingClaim": "Mine"}}, "spec.profile.existingClaim", a_name("a PersistentVolumeClaim")),
    ({"profile": {"existingClaim": ""}}, "spec.profile.existingClaim", a_name("a PersistentVolumeClaim")),
    # names
    ({"quotaName": ""}, "spec.quotaName", a_name("a WhatsAppSessionQuota")),
    ({"quotaName": "Big One"}, "spec.quotaName", a_name("a WhatsAppSessionQuota")),
    ({"pod": {"priorityClassName": "High!"}}, "spec.pod.priorityClassName", a_name("a PriorityClass")),
    ({"pod": {"runtimeClassName": "-"}}, "spec.pod.runtimeClassName", a_name("a RuntimeClass")),
    ({"pod": {"imagePullSecrets": [{"name": "My.Secret"}]}}, "spec.pod.imagePullSecrets[0].name", a_name("a Secret")),
    *SURROUNDINGS,
    *WEBHOOKS,
    *MESSAGING,
    # labels and annotations of ours
    ({"pod": {"labels": {"wasession.dev/session": "other"}}}, "spec.pod.labels", f"these labels {RESERVED}"),
    ({"pod": {"labels": {"x.wasession.dev/a": "b"}}}, "spec.pod.labels", f"these labels {RESERVED}"),
    ({"pod": {"labels": {"app.kubernetes.io/managed-by": "me"}}}, "spec.pod.labels", f"these labels {RESERVED}"),
    (
        {"pod": {"annotations": {"wasession.dev/restart-at": "x"}}},
        "spec.pod.annotations",
        f"these annotations {RESERVED}",
    ),
    ({"pod": {"labels": {"team": "two words"}}}, "spec.pod.labels", VALUE),
    ({"pod": {"nodeSelector": {"disk": "ssd!"}}}, "spec.pod.nodeSelector", VALUE),
    ({"pod": {"labels": {"two words": "a"}}}, "spec.pod.labels", KEY),
    ({"pod": {"labels": {"a/b/c": "a"}}}, "spec.pod.labels", KEY),
    ({"pod": {"labels": {"x" * 64: "a"}}}, "spec.pod.labels", KEY),
    ({"pod": {"labels": {"": "a"}}}, "spec.pod.labels", KEY),
    ({"pod": {"annotations": {"-note": "a"}}}, "spec.pod.annotations", KEY),
    ({"pod": {"nodeSelector": {"Example.com/disk": "ssd"}}}, "spec.pod.nodeSelector", KEY),
    ({"profile": {"storageClassName": "Fast Disk"}}, "spec.profile.storageClassName", CLASS),
    ({"pod": {"schedulerName": "My Scheduler"}}, "spec.pod.schedulerName", a_name("a scheduler")),
    # a pod may have it, but a line of the resolver's file would be two, or something else
    (resolver(options=[{"name": "ndots:2"}]), f"{DNS}.options[0].name", OPTION),
    (resolver(options=[{"name": "ndots\nnameserver"}]), f"{DNS}.options[0].name", OPTION),
    (resolver(options=[{"name": "ndots", "value": "2\nnameserver 10.0.0.1"}]), f"{DNS}.options[0].value", OPTION_VALUE),
    (resolver(nameservers=["::ffff:10.0.0.1"]), f"{DNS}.nameservers[0]", ADDRESS),
    # the operator's own selector is filled in
    (spread(matchLabelKeys=["team", "app.kubernetes.io/name"]), f"{SPREAD}.matchLabelKeys", KEYS),
    # Kubernetes from 1.34 on takes it of a pod that has no such label
    (spread(labelSelector={"matchLabels": {"a": "b"}}, matchLabelKeys=["a"]), f"{SPREAD}.matchLabelKeys", KEYS),
    (
        spread(labelSelector={"matchExpressions": [{"key": "a", "operator": "Exists"}]}, matchLabelKeys=["b", "a"]),
        f"{SPREAD}.matchLabelKeys",
        KEYS,
    ),
    # a pod may have it, but no node ever fits
    (spread(topologyKey="two words"), f"{SPREAD}.topologyKey", PLACE),
    (spread(topologyKey="-/zone"), f"{SPREAD}.topologyKey", PLACE),
    (on_nodes("Gt", ["a"]), ON_NODES, NUMBER),
]
""" By the rules of the schema. """
NO_POD: list[tuple[dict[str, Any], str, str]] = [
    ({"pod": {"image": "runner:1 "}}, "spec.pod.image", IMAGE),
    (
        {"pod": {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}},
        "spec.pod.tolerations[0].value",
        "operator Exists takes no value: remove value, or set operator to Equal",
    ),
    ({"pod": {"tolerations": [{"value": "b"}]}}, "spec.pod.tolerations[0].key", EVERY),
    ({"pod": {"tolerations": [{"key": "", "operator": "Equal"}]}}, "spec.pod.tolerations[0].key", EVERY),
    (
        {"pod": {"tolerations": [{"operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 5}]}},
        "spec.pod.tolerations[0].tolerationSeconds",
        STAYS,
    ),
    (
        {"pod": {"tolerations": [{"operator": "Exists", "tolerationSeconds": 5}]}},
        "spec.pod.tolerations[0].tolerationSeconds",
        STAYS,
    ),
    (on_nodes("In"), ON_NODES, SOME),
    (on_nodes("NotIn", []), ON_NODES, SOME),
    (on_nodes("Exists", ["a"]), ON_NODES, NONE),
    (on_nodes("Lt", ["1", "2"]), ON_NODES, NUMBER),
    (on_nodes("Gt"), ON_NODES, NUMBER),
    (near_pods("In"), NEAR_PODS, SOME),
    (near_pods("DoesNotExist", ["a"]), NEAR_PODS, NONE),
    (spread(topologyKey=""), f"{SPREAD}.topologyKey", PLACE),
    (spread(labelSelector={}, matchLabelKeys=["a b"]), f"{SPREAD}.matchLabelKeys[0]", PLACE),
    (spread(whenUnsatisfiable="ScheduleAnyway", minDomains=2), f"{SPREAD}.minDomains", PLACES),
    (resolver(nameservers=["dns.example.com"]), f"{DNS}.nameservers[0]", ADDRESS),
    (resolver(nameservers=[""]), f"{DNS}.nameservers[0]", ADDRESS),
    (resolver(searches=["Corp"]), f"{DNS}.searches[0]", DOMAIN),
    (resolver(searches=["a..b"]), f"{DNS}.searches[0]", DOMAIN),
    (resolver(searches=["a b"]), f"{DNS}.searches[0]", DOMAIN),
    (resolver(options=[{"name": ""}]), f"{DNS}.options[0].name", OPTION),
    ({"pod": {"dnsPolicy": "None"}}, "spec.pod.dnsPolicy", RESOLVER),
    ({"pod": {"dnsPolicy": "None", "dnsConfig": {"nameservers": []}}}, "spec.pod.dnsPolicy", RESOLVER),
    ({"pod": {"dnsPolicy": "None", "dnsConfig": {"searches": ["a"]}}}, "spec.pod.dnsPolicy", RESOLVER),
]
""" What the API server would refuse of the session's pod, so that the session could never have one. """
SCHEMA: list[tuple[dict[str, Any], str, str]] = [
    *SCHEMA_OF_PROXY,
    *SCHEMA_OF_WEBHOOKS,
    *SCHEMA_OF_MESSAGING,
    ({"operatingMode": "Stopped"}, "spec.operatingMode", 'supported values: "Running", "Suspended"'),
    ({"replicas": 0}, "spec.replicas", ONE),
    ({"replicas": 2}, "spec.replicas", ONE),
    ({"replicas": 0}, "spec.replicas", "should be greater than or equal to 1"),
    ({"replicas": 2}, "spec.replicas", "should be less than or equal to 1"),
    ({"link": {"method": "SMS"}}, "spec.link.method", 'supported values: "QR", "PairingCode"'),
    ({"link": {"onLogout": "Cry"}}, "spec.link.onLogout", 'supported values: "Relink", "Wait"'),
    ({"link": {"maxRounds": 0}}, "spec.link.maxRounds", "should be greater than or equal to 1"),
    ({"recovery": {"maxAttempts": 0}}, "spec.recovery.maxAttempts", "should be greater than or equal to 1"),
    ({"recovery": {"maxAttempts": -1}}, "spec.recovery.maxAttempts", "should be greater than or equal to 1"),
    (
        {"profile": {"accessMode": "ReadWriteMany"}},
        "spec.profile.accessMode",
        'supported values: "ReadWriteOncePod", "ReadWriteOnce"',
    ),
    ({"profile": {"retention": "Keep"}}, "spec.profile.retention", 'supported values: "Retain", "Delete"'),
    ({"timeouts": {"launch": 30}}, "spec.timeouts.launch", "must be of type string"),
    (limits(cpu=0.5), "spec.resources.limits.cpu", "must be of type integer,string"),
    (limits(memory="9" * 33), "spec.resources.limits.memory", "Too long: may not be more than 32 bytes"),
    ({"quotaName": "q" * 64}, "spec.quotaName", "Too long: may not be more than 63 bytes"),
    ({"priority": 2**31}, "spec.priority", "should be less than or equal to"),
    (
        {"pod": {"imagePullSecrets": [{"name": "a"}, {"name": "a"}]}},
        "spec.pod.imagePullSecrets[1]",
        "Duplicate value",
    ),
    ({"pod": {"imagePullSecrets": [{}]}}, "spec.pod.imagePullSecrets[0].name", "Required value"),
    (
        {"pod": {"tolerations": [{"effect": "Never"}]}},
        "spec.pod.tolerations[0].effect",
        'supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ),
    ({"pod": {"labels": {"team": "x" * 64}}}, "spec.pod.labels.team", "Too long: may not be more than 63 bytes"),
    ({"pod": {"image": ""}}, "spec.pod.image", "should be at least 1 chars long"),
    ({"pod": {"topologySpreadConstraints": [{}]}}, f"{SPREAD}.topologyKey", "Required value"),
    (spread(maxSkew=0), f"{SPREAD}.maxSkew", "should be greater than or equal to 1"),
    (spread(maxSkew=2**31), f"{SPREAD}.maxSkew", "should be less than or equal to"),
    (spread(minDomains=0), f"{SPREAD}.minDomains", "should be greater than or equal to 1"),
    (spread(whenUnsatisfiable="Never"), f"{SPREAD}.whenUnsatisfiable", '"DoNotSchedule", "ScheduleAnyway"'),
    (spread(nodeTaintsPolicy="Maybe"), f"{SPREAD}.nodeTaintsPolicy", 'supported values: "Honor", "Ignore"'),
    (
        {"pod": {"topologySpreadConstraints": [constraint(), constraint()]}},
        "spec.pod.topologySpreadConstraints[1]",
        "Duplicate value",
    ),
    (
        {"pod": {"topologySpreadConstraints": [constraint(number) for number in range(4)]}},
        "spec.pod.topologySpreadConstraints",
        "must have at most 3 items",
    ),
    (spread(matchLabelKeys=["a", "b", "c"]), f"{SPREAD}.matchLabelKeys", "at most 2 items"),
    ({"pod": {"dnsPolicy": "ClusterFirstWithHostNet"}}, "spec.pod.dnsPolicy", '"ClusterFirst", "Default", "None"'),
    (resolver(nameservers=["10.0.0.1"] * 4), f"{DNS}.nameservers", "must have at most 3 items"),
    (resolver(searches=["a"] * 9), f"{DNS}.searches", "must have at most 8 items"),
    (resolver(options=[{"value": "2"}]), f"{DNS}.options[0].name", "Required value"),
    (resolver(options=[{"name": "x" * 64}]), f"{DNS}.options[0].name", "Too long: may not be more than 63 bytes"),
    (resolver(options=[{"name": "x"}] * 17), f"{DNS}.options", "must have at most 16 items"),
    ({"pod": {"schedulerName": "x" * 254}}, "spec.pod.schedulerName", "Too long: may not be more than 253 bytes"),
]
""" By its bounds, in the API server's own words. """
