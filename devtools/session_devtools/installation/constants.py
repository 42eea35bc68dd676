"""Names that the manifests and the API fix, for whoever installs them."""

from typing import Final

API_VERSION: Final = "wasession.dev/v1alpha1"
CRDS: Final = ("whatsappsessions.wasession.dev", "whatsappsessionquotas.wasession.dev")

OPERATOR_NAMESPACE: Final = "whatsapp-operator"
OPERATOR_ACCOUNT: Final = f"system:serviceaccount:{OPERATOR_NAMESPACE}:whatsapp-operator"
""" The user that the operator is for the API server. """
