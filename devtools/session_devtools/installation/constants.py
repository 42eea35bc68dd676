"""Names that the manifests and the API fix, for whoever installs them."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
""" The checkout, whose manifests are installed. """

API_VERSION: Final = "wasession.dev/v1alpha1"
CRDS: Final = ("whatsappsessions.wasession.dev", "whatsappsessionquotas.wasession.dev")

OPERATOR_NAMESPACE: Final = "whatsapp-operator"
OPERATOR_ACCOUNT: Final = f"system:serviceaccount:{OPERATOR_NAMESPACE}:whatsapp-operator"
""" The user that the operator is for the API server. """

NAMESPACE: Final = "whatsapp-demo"
""" Where the stand-in is, by its manifests, and the demo's sessions. """
PART_OF: Final = "whatsapp-demo"
""" The label `app.kubernetes.io/part-of` of everything that is installed for a demo and not for good. """
