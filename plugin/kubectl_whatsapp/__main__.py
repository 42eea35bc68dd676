"""`python -m kubectl_whatsapp`: what the script `kubectl-whatsapp` starts."""

from __future__ import annotations

import io
import sys

from kubectl_whatsapp.cli import main

# People's words stand in messages, and not every terminal speaks UTF-8: a question mark is better than a traceback.
if isinstance(sys.stdout, io.TextIOWrapper):
    sys.stdout.reconfigure(errors="replace")

sys.exit(main())
