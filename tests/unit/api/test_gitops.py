"""What Argo CD takes the actions of a session from."""

from pathlib import Path

import yaml
from whatsapp_operator.api.gitops import actions_file


def test_each_script_is_an_action_and_one_says_which_are_possible(tmp_path: Path) -> None:
    """Sorted by name, each as it stands in its file."""
    scripts = {"stop": "obj.a = 1\nreturn obj\n", "discovery": "return {}\n", "go": "return obj\n"}
    for name, script in scripts.items():
        (tmp_path / f"{name}.lua").write_text(script)

    assert {
        "discovery.lua": scripts["discovery"],
        "definitions": [{"name": name, "action.lua": scripts[name]} for name in ("go", "stop")],
    } == yaml.safe_load(actions_file(tmp_path))
