"""What models and states say, as files: CRDs, JSON Schemas, API reference, what Argo CD and Flux go by.

`make generate` (scripts/generate.py) writes them after a change of these, and `make verify` fails until it has.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from whatsapp_operator.api import gitops
from whatsapp_operator.api.crd.definitions import KINDS, definition
from whatsapp_operator.api.crd.json_schema import json_schema, json_schema_path
from whatsapp_operator.api.crd.reference import reference

_HEADER = "# Written by `make generate` from whatsapp_operator.api; change the models, not this file.\n"


class _Dumper(yaml.SafeDumper):
    """Every value written out: an alias saves bytes and costs readers."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def files() -> Mapping[Path, str]:
    """Return what is generated, by its path in the repository."""
    crds = {
        Path("crds") / kind.file_name: _HEADER
        + yaml.dump(definition(kind), Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
        for kind in KINDS
    }
    schemas = {
        Path("schemas") / json_schema_path(kind): json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n"
        for kind in KINDS
    }
    return {
        **crds,
        **schemas,
        Path("docs/reference/api.md"): reference(),
        gitops.HEALTH_CHECK: gitops.health_check(),
        gitops.HEALTH_EXPRESSIONS: gitops.health_expressions_file(),
    }
