"""`python -m kubectl_whatsapp`: what the script `kubectl-whatsapp` starts."""

from __future__ import annotations

import sys

from kubectl_whatsapp.cli import main

sys.exit(main())
