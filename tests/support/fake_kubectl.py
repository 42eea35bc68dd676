"""A cluster in memory behind the one seam to a cluster, `Kubectl`: what a person's kubectl would do, as far as asked for.

It knows get, apply, delete, config, version and auth; whatever else a test needs it gives as an answer to the first
words of a command.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from session_devtools.errors import CommandError
from session_devtools.kubectl import Kubectl

Object = dict[str, Any]

KINDS = {
    "crd": "CustomResourceDefinition",
    "customresourcedefinitions": "CustomResourceDefinition",
    "whatsappsessionquota": "WhatsAppSessionQuota",
    "wasq": "WhatsAppSessionQuota",
    "was": "WhatsAppSession",
    "storageclasses": "StorageClass",
    "customresourcedefinition": "CustomResourceDefinition",
    "namespace": "Namespace",
    "clusterrole": "ClusterRole",
    "clusterrolebinding": "ClusterRoleBinding",
    "persistentvolume": "PersistentVolume",
}
""" What kubectl also takes for a kind's name. """
MINE = {"app.kubernetes.io/part-of": "whatsapp-demo"}


@dataclass
class Cluster:
    """Objects, every command so far, and answers to what it does not know itself."""

    objects: list[Object] = field(default_factory=list)
    commands: list[tuple[str, ...]] = field(default_factory=list)
    answers: dict[tuple[str, ...], str | CommandError] = field(default_factory=dict)
    """ By the first words of a command; the longest that fits is taken. """
    context: str = "blue"
    server: str = "https://203.0.113.7:6443"
    version: Mapping[str, str] = field(default_factory=lambda: {"minor": "35", "gitVersion": "v1.35.4"})

    def run(self, arguments: tuple[str, ...], text: str | None) -> str:
        """Do one command."""
        self.commands.append(arguments)
        known = [command for command in self.answers if arguments[: len(command)] == command]
        if known:
            answer = self.answers[max(known, key=len)]
            if isinstance(answer, CommandError):
                raise answer
            return answer
        known_verbs: dict[str, Callable[[], str]] = {
            "apply": lambda: self._apply(text or ""),
            "get": lambda: json.dumps({"kind": "List", "items": self._meant(command_line_of(arguments[1:]))}),
            "delete": lambda: self._delete(arguments[1:]),
            "config": lambda: self._config(arguments[1]),
            "version": lambda: json.dumps({"clientVersion": {"minor": "35"}, "serverVersion": self.version}),
            **dict.fromkeys(("auth", "wait", "rollout"), lambda: "yes\n"),
        }
        return known_verbs[arguments[0]]()

    def find(self, kind: str, name: str) -> Object | None:
        """Return an object, or None."""
        found = self._named(kind, name)
        return found[0] if found else None

    def names(self, kind: str) -> list[str]:
        """The names of all objects of a kind."""
        return sorted(item["metadata"]["name"] for item in self.objects if item["kind"] == kind)

    def commands_of(self, verb: str) -> list[tuple[str, ...]]:
        """The commands that began with this word."""
        return [command for command in self.commands if command[0] == verb]

    def _config(self, what: str) -> str:
        view = {"clusters": [{"name": "x", "cluster": {"server": self.server}}]}
        return self.context if what == "current-context" else json.dumps(view)

    def _apply(self, text: str) -> str:
        for document in text.split("\n---\n"):
            item = json.loads(document)
            self.objects = [other for other in self.objects if not same(other, item)] + [item]
        return ""

    def _delete(self, arguments: tuple[str, ...]) -> str:
        selectors = _values("--selector=", arguments)
        places = _values("--namespace=", arguments)
        for item in self._meant(command_line_of(arguments)):
            if places and item["metadata"].get("namespace") not in places:
                continue
            if all(selector in [f"{key}={value}" for key, value in labels(item).items()] for selector in selectors):
                self._remove(item)
        return ""

    def _remove(self, gone: Object) -> None:
        """Take it away; a namespace with all that is in it, as Kubernetes does."""
        name = gone["metadata"]["name"] if gone["kind"] == "Namespace" else None
        self.objects = [
            item
            for item in self.objects
            if item is not gone and (name is None or item["metadata"].get("namespace") != name)
        ]

    def _meant(self, command: list[str]) -> list[Object]:
        """What the words mean: kinds by comma, a kind's names, or KIND/NAME each."""
        if "/" in command[0]:
            pairs = [argument.split("/") for argument in command]
        else:
            pairs = [[kind, *command[1:]] for kind in command[0].split(",")]
        return [item for pair in pairs for item in self._named(*pair)]

    def _named(self, kind: str, *names: str) -> list[Object]:
        wanted = kind_of(kind)
        return [
            item for item in self.objects if item["kind"] == wanted and (not names or item["metadata"]["name"] in names)
        ]


@dataclass(frozen=True, kw_only=True)
class FakeKubectl(Kubectl):
    """kubectl on a cluster in memory."""

    cluster: Cluster

    def __call__(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002
        check: bool = True,
        timeout: float | None = None,
    ) -> str:
        """Hand the command to the cluster."""
        del check, timeout
        return self.cluster.run(arguments, input)

    def find(self, kind: str, name: str, *, namespace: str | None = None) -> Object | None:
        """Look the object up."""
        del namespace
        return self.cluster.find(kind, name)


def kubectl(cluster: Cluster) -> FakeKubectl:
    """The kubectl for this cluster."""
    return FakeKubectl(program="kubectl", cluster=cluster)


def thing(kind: str, name: str, **more: Any) -> Object:
    """An object; `labels`, `annotations` and `namespace` go into its metadata."""
    metadata: Object = {"name": name}
    metadata |= {key: more.pop(key) for key in ("labels", "annotations", "namespace") if key in more}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def volume(name: str, namespace: str, policy: str) -> dict[str, Any]:
    """A volume that a claim of this namespace took."""
    spec = {"claimRef": {"namespace": namespace}, "persistentVolumeReclaimPolicy": policy}
    return thing("PersistentVolume", name, spec=spec)


def kind_of(argument: str) -> str:
    """The kind that a word of the command line means."""
    if argument in KINDS:
        return KINDS[argument]
    singular = argument.removesuffix("s")
    return next((kind for kind in (*KINDS.values(), *PLAIN) if kind.lower() == singular), argument)


def command_line_of(arguments: tuple[str, ...]) -> list[str]:
    """The arguments that are no flags."""
    return [argument for argument in arguments if not argument.startswith("-")]


def _values(flag: str, arguments: tuple[str, ...]) -> list[str]:
    return [argument.removeprefix(flag) for argument in arguments if argument.startswith(flag)]


def labels(item: Object) -> Mapping[str, str]:
    """An object's labels."""
    found: Mapping[str, str] = item["metadata"].get("labels", {})
    return found


def same(one: Object, other: Object) -> bool:
    """Whether two texts are about one object."""
    return all(one[key] == other[key] for key in ("kind",)) and all(
        one["metadata"].get(key) == other["metadata"].get(key) for key in ("name", "namespace")
    )


PLAIN = (
    "Deployment",
    "Lease",
    "Node",
    "Pod",
    "Secret",
    "ConfigMap",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Namespace",
    "WhatsAppSession",
)
