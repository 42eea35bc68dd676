"""The plugin's wheel brings along what the plugin takes from the shared package; building one is left to slower tests."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROTOCOL = ROOT / "session-protocol"


def test_the_wheel_has_each_shared_module_that_is_imported() -> None:
    """By the plugin, or by another shared module that it takes along."""
    build = tomllib.loads((ROOT / "plugin" / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    taken = {Path(path).name for path in build["targets"]["wheel"]["force-include"].values()}
    sources = [
        *(ROOT / "plugin").glob("kubectl_whatsapp/**/*.py"),
        *(PROTOCOL / "session_protocol" / one for one in taken),
    ]
    imported = {
        f"{name}.py"
        for path in sources
        for name in re.findall(r"(?m)^from session_protocol\.(\w+) import", path.read_text())
    }

    assert {"__init__.py", *imported} == taken
