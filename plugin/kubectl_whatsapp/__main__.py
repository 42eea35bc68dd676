"""`python -m kubectl_whatsapp`: what the script `kubectl-whatsapp` starts from a checkout."""

import sys
from pathlib import Path

try:
    from kubectl_whatsapp import cli, completion
except ImportError as missing:
    folder = Path(__file__).parents[1]
    sys.exit(f"kubectl whatsapp needs the Python package {missing.name}: `pipx install {folder}` brings all it needs")

if sys.argv[1:2] == ["--complete-for-kubectl"]:
    del sys.argv[1]
    completion.main()
else:
    cli.run()
