"""The objects that hostile people apply, and the ones that honest people do beside them. Pure."""

from collections.abc import Iterator
from typing import Any, Final

Object = dict[str, Any]

API: Final = "wasession.dev/v1alpha1"
QUOTA: Final = "attack-shared"
""" Everybody's: whoever takes what is not theirs takes it from here. """
PERSON: Final = "mallory"
BINDING: Final = "whatsapp-sessions-edit"

BEHAVIOURS: Final = {
    101: "new words in every answer, at once",
    102: "100 Continue without end",
    103: "one byte a chunk, with long extensions",
    104: "a head without end",
    105: "a new state in every answer",
    106: "terminal sequences and secrets in its words",
    107: "ends at once, with last words of the same kind",
    108: "a body of petabytes",
    109: "sends the asker elsewhere",
    110: "answers never",
}
""" What hostile/main.go does, by `spec.link.maxRounds`. """
POISONS: Final = {111: "a pipe", 112: "a link out of the profile", 113: "a gigabyte"}
""" What it leaves on the profile in place of the runner's own record. """


def session(name: str, namespace: str, **spec: Any) -> Object:
    """Return a session with a small volume that goes with it."""
    given = {"quotaName": QUOTA, "profile": {"size": "64Mi", "retention": "Delete"}} | spec
    return {"apiVersion": API, "kind": "WhatsAppSession", "metadata": _metadata(name, namespace), "spec": given}


def quota(*, sessions: int, storage: str) -> Object:
    """Return the quota, in which there is room for the honest and a few more."""
    return {
        "apiVersion": API,
        "kind": "WhatsAppSessionQuota",
        "metadata": {"name": QUOTA},
        "spec": {"sessions": sessions, "storage": storage},
    }


def namespace(name: str) -> Object:
    """Return a tenant's namespace."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def hostile_runners(namespace: str, image: str) -> list[Object]:
    """Return a session for each behaviour of the hostile image, three for the one that ends at once."""
    small = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}}
    numbers = [*BEHAVIOURS, 107, 107]
    return [
        session(
            f"hostile-{number}-{place}",
            namespace,
            pod={"image": image},
            resources=small,
            link={"maxRounds": number},
            recovery={"baseDelay": "1s"},
        )
        for place, number in enumerate(numbers)
    ]


def poisoners(namespace: str, image: str) -> dict[str, Object]:
    """Return a session of the hostile image for each poison; its next pod is to be an honest runner's."""
    small = {"requests": {"cpu": "10m", "memory": "64Mi"}}
    return {
        poison: session(
            f"poisoned-{number}", namespace, pod={"image": image}, resources=small, link={"maxRounds": number}
        )
        for number, poison in POISONS.items()
    }


def thieves(namespace: str, *, victim_uid: str) -> list[Object]:
    """Return pods that never run and claim to be sessions' pods: a place of 8 EiB, another's UID, an old key."""
    return [
        _thief("takes-all", namespace, uid="11111111-1111-4111-8111-111111111111", key="20200101t000000-abcdef")
    ] + [_thief(f"is-another-{number}", namespace, uid=victim_uid, key="20200101t000000-abcdef") for number in range(2)]


def _thief(name: str, namespace: str, *, uid: str, key: str) -> Object:
    labels = {
        "app.kubernetes.io/managed-by": "whatsapp-session-operator",
        "app.kubernetes.io/name": "whatsapp-session",
        "wasession.dev/session": name,
        "wasession.dev/session-uid": uid,
        "wasession.dev/key-id": key,
    }
    secure = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **_metadata(name, namespace),
            "labels": labels,
            "annotations": {"wasession.dev/quota": QUOTA},
        },
        "spec": {
            "schedulerName": "nobody",
            "securityContext": {"runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "runner",
                    "image": "localhost/nothing",
                    "securityContext": secure,
                    "resources": {"limits": {"memory": "8Ei", "cpu": "1"}, "requests": {"memory": "1Mi", "cpu": "1m"}},
                }
            ],
        },
    }


def beyond_rights(namespace: str, image: str) -> dict[str, Object]:
    """Return what a person with the sessions' role alone must not get, by a label for each."""
    toleration = {"operator": "Exists"}
    pods: dict[str, Object] = {
        "an image": {"image": image},
        "a priority class": {"priorityClassName": "system-node-critical"},
        "tolerations": {"tolerations": [toleration]},
        "labels": {"labels": {"app": "another-service"}},
        "an injector's annotation": {"annotations": {"sidecar.istio.io/inject": "true"}},
    }
    asked = {label: session(f"beyond-{place}", namespace, pod=pod) for place, (label, pod) in enumerate(pods.items())}
    claim = {"profile": {"existingClaim": "data-postgres-0"}}
    return asked | {"another's claim": session("beyond-claim", namespace, **claim)}


def giants(namespace: str, *, count: int = 112) -> Iterator[Object]:
    """Return suspended sessions with 0.6 MB of affinities and annotations each."""
    expressions = [{"key": "k", "operator": "In", "values": ["v" * 60] * 60}] * 20
    affinity = {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 1, "podAffinityTerm": {
            "topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchExpressions": expressions}}}
    ] * 6}}  # fmt: skip
    annotations = {f"example.com/{number}": "n" * 1000 for number in range(60)}
    for number in range(count):
        pod = {"affinity": affinity, "annotations": annotations}
        yield session(f"giant-{number}", namespace, suspended=True, pod=pod)


def hoarder(namespace: str, number: int) -> Object:
    """Return a session with a volume that stays when it goes; applied and deleted, it leaves its claim."""
    return session(f"hoarder-{number}", namespace, profile={"size": "10Ti", "retention": "Retain"})


def edit_right(namespace: str) -> Object:
    """Bind a person to the sessions' role, and to nothing else."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": _metadata("mallory", namespace),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": BINDING},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": PERSON}],
    }


def _metadata(name: str, namespace: str) -> Object:
    return {"name": name, "namespace": namespace}
