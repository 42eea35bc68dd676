"""The CustomResourceDefinitions around the schemas: names, columns, subresources, selectable fields."""

from typing import Any, NamedTuple

from pydantic import BaseModel

from whatsapp_operator.api import constants
from whatsapp_operator.api.crd.schema import Schema, structural
from whatsapp_operator.api.quota import QuotaSpec, QuotaStatus, WhatsAppSessionQuota
from whatsapp_operator.api.session import SessionSpec, SessionStatus, WhatsAppSession

_KIND = "Which kind of object this is. Cannot be changed."
_API_VERSION = "The version of the schema that this object is written in."


class Column(NamedTuple):
    """What `kubectl get` shows."""

    name: str
    path: str
    description: str
    type: str = "string"
    wide: bool = False
    """Shown by `-o wide` only."""

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as it stands in the CRD."""
        entry: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "description": self.description,
            "jsonPath": self.path,
        }
        return entry | {"priority": 1} if self.wide else entry


class Kind(NamedTuple):
    """What the CRD of one kind is made of."""

    kind: str
    plural: str
    singular: str
    short: str
    scope: str
    root: type[BaseModel]
    spec: type[BaseModel]
    status: type[BaseModel]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    subresources: tuple[tuple[str, dict[str, str]], ...] = (("status", {}),)

    @property
    def name(self) -> str:
        """The CRD's own name."""
        return f"{self.plural}.{constants.GROUP}"

    @property
    def file_name(self) -> str:
        """Its file under crds/."""
        return f"{constants.GROUP}_{self.plural}.yaml"


_AGE = Column("Age", ".metadata.creationTimestamp", "How long ago it was created.", "date")

SESSION = Kind(
    kind=constants.SESSION_KIND,
    plural=constants.SESSION_PLURAL,
    singular=constants.SESSION_SINGULAR,
    short=constants.SESSION_SHORT,
    scope="Namespaced",
    root=WhatsAppSession,
    spec=SessionSpec,
    status=SessionStatus,
    columns=(
        Column("State", ".status.state", "What the session is doing."),
        Column("Ready", '.status.conditions[?(@.type=="Ready")].status', "Whether it is linked and connected."),
        Column("Quota", ".spec.quotaName", "The quota it counts against."),
        Column("Node", ".status.nodeName", "The node its pod runs on."),
        Column("Restarts", ".status.recovery.restarts", "Pods created after the first.", "integer"),
        _AGE,
        Column("Pod", ".status.podName", "Its pod.", wide=True),
        Column("Browser", ".status.browserVersion", "The version of the browser in its pod.", wide=True),
        Column("Account", ".status.link.accountHash", "Whose account is linked, as a keyed hash.", wide=True),
        # A text, not a date: of a date kubectl shows the age, and a moment to come has none.
        Column("Next attempt", ".status.recovery.nextAttemptTime", "When the next pod is created.", wide=True),
        Column("Message", '.status.conditions[?(@.type=="Ready")].message', "Why it is Ready or not.", wide=True),
    ),
    selectable=(".spec.quotaName", ".spec.operatingMode", ".status.state", ".status.nodeName"),
    subresources=(
        ("status", {}),
        (
            "scale",
            {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        ),
    ),
)

QUOTA = Kind(
    kind=constants.QUOTA_KIND,
    plural=constants.QUOTA_PLURAL,
    singular=constants.QUOTA_SINGULAR,
    short=constants.QUOTA_SHORT,
    scope="Cluster",
    root=WhatsAppSessionQuota,
    spec=QuotaSpec,
    status=QuotaStatus,
    columns=(
        Column("Sessions", ".spec.sessions", "How many sessions may run.", "integer"),
        Column("Memory", ".spec.memory", "The largest sum of memory that their pods may take."),
        Column("Admitted", ".status.admitted", "Admitted sessions.", "integer"),
        Column("Waiting", ".status.waiting", "Sessions that wait to be admitted.", "integer"),
        Column("Storage", ".spec.storage", "The sum of volume claims they may have.", wide=True),
        Column("Storage reserved", ".status.storageReserved", "The sum of volume claims they have.", wide=True),
        Column("Memory reserved", ".status.memoryReserved", "The sum of what the admitted sessions reserve."),
        _AGE,
        Column(
            "Per namespace", ".spec.sessionsPerNamespace", "How many of one namespace may run.", "integer", wide=True
        ),
    ),
)

KINDS = (SESSION, QUOTA)


def root_schema(kind: Kind) -> Schema:
    """Return the schema of the whole object; metadata is the API server's own business."""
    root = structural(kind.root, show_defaults=False)
    schema: Schema = {
        "type": "object",
        "description": root["description"],
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": _API_VERSION},
            "kind": {"type": "string", "description": _KIND},
            # The API server fills in the rest; the name is here so that a rule can point at it.
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": structural(kind.spec, show_defaults=True),
            "status": structural(kind.status, show_defaults=False),
        },
    }
    rules = "x-kubernetes-validations"
    return schema | ({rules: root[rules]} if rules in root else {})


def definition(kind: Kind) -> dict[str, Any]:
    """Return the CustomResourceDefinition of a kind."""
    version: dict[str, Any] = {
        "name": constants.VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [column.to_dict() for column in kind.columns],
        "subresources": dict(kind.subresources),
    }
    if kind.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in kind.selectable]
    version["schema"] = {"openAPIV3Schema": root_schema(kind)}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": kind.name,
            # The rest of the recommended labels belongs to an installation: manifests/base adds them.
            "labels": {
                constants.COMPONENT_LABEL: constants.API_COMPONENT,
                constants.NAME_LABEL: constants.OPERATOR_NAME,
                constants.PART_OF_LABEL: constants.PART_OF,
            },
        },
        "spec": {
            "group": constants.GROUP,
            "scope": kind.scope,
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.singular,
                "shortNames": [kind.short],
                "categories": [constants.CATEGORY],
            },
            "versions": [version],
        },
    }
