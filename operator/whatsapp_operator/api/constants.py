"""The fixed names of the API: group, kinds, annotation keys, label keys, names with a meaning.

Everything that writes or reads one of these names imports it from here, so that a manifest, a label selector and the
code can be searched for one constant. `docs/design/api.md` says where each label is used and why.
"""

from typing import Final

GROUP: Final = "wasession.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"

SESSION_KIND: Final = "WhatsAppSession"
SESSION_PLURAL: Final = "whatsappsessions"
SESSION_SINGULAR: Final = "whatsappsession"
SESSION_SHORT: Final = "was"

QUOTA_KIND: Final = "WhatsAppSessionQuota"
QUOTA_PLURAL: Final = "whatsappsessionquotas"
QUOTA_SINGULAR: Final = "whatsappsessionquota"
QUOTA_SHORT: Final = "wasq"

CATEGORY: Final = "whatsapp"

# --- What people write on a session, and the operator only reads.
RESTART_AT: Final = f"{GROUP}/restart-at"
""" Annotation, an RFC 3339 time: replace the pod now. Ends Stalled and Conflict. """
RELINK_AT: Final = f"{GROUP}/relink-at"
""" Annotation, an RFC 3339 time: replace the pod, and show a new QR code if the session is not linked. Ends Stalled and Conflict. """
RENEW_TOKENS_AT: Final = f"{GROUP}/renew-tokens-at"
""" Annotation, an RFC 3339 time: give the session other tokens, without another pod. On pods: the renewal that their
Secret is of, empty for none; a pod without it was made when Secrets held plain tokens. """

# --- What the operator writes on the pods, claims, Secrets and Services that it makes.
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
MANAGED_BY: Final = "whatsapp-session-operator"
""" The value of MANAGED_BY_LABEL; the operator's watches and lists select by it. """
NAME_LABEL: Final = "app.kubernetes.io/name"
RUNNER_NAME: Final = "whatsapp-session"
""" The value of NAME_LABEL on a session's objects. """
OPERATOR_NAME: Final = "whatsapp-session-operator"
""" The value of NAME_LABEL on the operator's own objects. """
APP_INSTANCE_LABEL: Final = "app.kubernetes.io/instance"
""" The name of the session, or of the operator. Nothing to do with `wasession.dev/instance`. """
COMPONENT_LABEL: Final = "app.kubernetes.io/component"
RUNNER_COMPONENT: Final = "runner"
OPERATOR_COMPONENT: Final = "operator"
API_COMPONENT: Final = "api"
""" Of the CRDs. """
PART_OF_LABEL: Final = "app.kubernetes.io/part-of"
PART_OF: Final = "whatsapp-session-operator"
""" What all objects of an installation and of its sessions have in common. """
SESSION_LABEL: Final = f"{GROUP}/session"
""" The session's name; at most 52 characters, so that it always fits a label value. """
SESSION_UID_LABEL: Final = f"{GROUP}/session-uid"
""" The session's UID, for selectors and people; it proves nothing. A claim that outlives its session keeps the old one. """
QUOTA_LABEL: Final = f"{GROUP}/quota"
""" On pods: the quota they count against; for this, a quota's name is limited to the length of a label value. """
KEY_ID_LABEL: Final = f"{GROUP}/key-id"
""" On pods and Secrets: the key that the tokens come from; a key is kept while a pod has its id. """
QUOTA_ANNOTATION: Final = QUOTA_LABEL
""" On pods: the quota's whole name, which a label value may be too short for. """
TEMPLATE_HASH_ANNOTATION: Final = f"{GROUP}/made-from"
""" On pods: the hash of the manifest, to tell whether later edits wait for the next pod. """
EXHAUSTED_ANNOTATION: Final = f"{GROUP}/recovery-exhausted"
"""On a claim: recovery of its session has stopped, under which spec and requests."""
SEAL_ANNOTATION: Final = f"{GROUP}/seal"
""" On pods and claims: that the operator made the object, and for what (`core.objects.seal`). """

# --- What people write on claims, and the operator only reads.
PROFILE_LABEL: Final = f"{GROUP}/profile"
""" On a claim of somebody's own: "true" releases it to the sessions of its namespace, as their existingClaim. """

# --- What people write on namespaces and quotas, and the operator only reads.
INSTANCE_LABEL: Final = f"{GROUP}/instance"
""" Which operator's it is: the one with this INSTANCE. """

CLIENT_LABEL: Final = f"{GROUP}/client"
""" What people write on pods, with the value true: these may connect to the runners of their namespace. """
NAMESPACE_NAME_LABEL: Final = "kubernetes.io/metadata.name"
""" Kubernetes' own, on every namespace: its name. """

SCRAPES_METRICS_LABEL: Final = f"{GROUP}/scrapes-metrics"
""" What people write on a namespace, with the value true: its pods may connect to the operator and to all runners. """

POD_SECURITY_LABEL: Final = "pod-security.kubernetes.io/enforce"
""" Kubernetes' own, on a namespace: the Pod Security Standard that its pods are held to. """

SERVICE_NAME: Final = "whatsapp-sessions"
""" The one headless Service of a namespace; a session's host name is NAME.whatsapp-sessions.NAMESPACE.svc. """
NETWORK_POLICY_NAME: Final = "whatsapp-session-runners"
""" The one NetworkPolicy of a namespace. """
RUNNER_PORT: Final = 8080
RUNNER_PORT_NAME: Final = "http"
RUNNER_CONTAINER: Final = "runner"
""" The one container of a session's pod. """
TOKEN_VOLUME: Final = "tokens"  # noqa: S105 -- the volume's name
""" The pod's volume with the token Secret. """
CLIENT_NAME: Final = "whatsapp-operator"
""" The operator's name at the API server: field manager, user agent, name of the Lease without an INSTANCE. """
EVENT_CONTROLLER: Final = f"{CLIENT_NAME}.{GROUP}"
""" Who reports in events. """
KEYS_SUFFIX: Final = "-keys"
""" The operator's key Secret is called as its Lease is, and this. """
MAX_QUOTA_NAME_LENGTH: Final = 63
""" Of a quota's name: what a label value holds. """
MAX_NAME_LENGTH: Final = 52
""" Of a session's name. Leaves 11 characters of a 63-character label for what is derived from it. """
