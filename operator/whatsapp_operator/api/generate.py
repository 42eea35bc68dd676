"""`python -m whatsapp_operator.api.generate`: write what models and states say: CRDs, JSON Schemas, tables of the docs.

`make generate` runs it after a change of the models; with `--check` it writes nothing and fails when a file differs,
which is what a test asks in its own way. The folder to write to is the repository's, found from this file.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from whatsapp_operator.api.crd.definitions import KINDS, definition
from whatsapp_operator.api.crd.json_schema import json_schema, json_schema_path
from whatsapp_operator.api.crd.reference import reference
from whatsapp_operator.api.state_pages import HEALTH_CHECK, PAGES, filled, health_check

REPOSITORY = Path(__file__).resolve().parents[3]

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
    return {**crds, **schemas, Path("docs/reference/api.md"): reference(), HEALTH_CHECK: health_check()}


def differing(repository: Path) -> dict[Path, str]:
    """Return the files that are missing or differ from what the models say, with the text they should have."""
    written = {path: _text(repository / path) for path in (*files(), *PAGES)}
    pages = {path: filled(text) for path in PAGES if (text := written[path]) is not None}
    return {path: text for path, text in {**files(), **pages}.items() if written[path] != text}


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or check them; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m whatsapp_operator.api.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file differs")
    parser.add_argument("--into", type=Path, default=REPOSITORY, help="the repository (default: this one)")
    options = parser.parse_args(arguments)
    changed = differing(options.into)
    if options.check:
        for path in changed:
            sys.stderr.write(f"{path} differs from the models: run `make generate`\n")
        return 1 if changed else 0
    for path, text in changed.items():
        (options.into / path).parent.mkdir(parents=True, exist_ok=True)
        (options.into / path).write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
