"""The command `python -m whatsapp_operator`: reads the settings, starts the process or both, and returns the exit status.

0: stopped, or a new key was made. 1: a fault that a new process may not meet again. 2: a person has to correct
something first, and a traceback would hide what.
"""

import asyncio
import logging
import sys
from collections.abc import Sequence
from typing import Final

from session_protocol import logs, open_files

from whatsapp_operator.app.launch import rotate_key, run
from whatsapp_operator.app.process import Fault, read_inputs
from whatsapp_operator.app.settings import BadSettings, load
from whatsapp_operator.runtime.kube.connection import BadCredentials
from whatsapp_operator.runtime.kube.errors import KubeError
from whatsapp_operator.runtime.process.keys import BadKeySecret

PACKAGE: Final = "whatsapp_operator"
USAGE: Final = """\
usage: python -m whatsapp_operator             run the operator
       python -m whatsapp_operator rotate-key  make a new key for the tokens of pods made from now on

Settings are environment variables; see docs/reference/settings.md.
"""
logger = logging.getLogger(PACKAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and return the exit status: 0 stopped, 1 fault, 2 wrong arguments, settings, credentials or key Secret."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given not in ([], ["rotate-key"]):
        sys.stderr.write(USAGE)
        return 0 if given in (["-h"], ["--help"]) else 2
    logs.configure("info", ours=PACKAGE)
    try:
        settings = load()
        logs.configure(settings.log_level, ours=PACKAGE)
        for advice in settings.advice():
            logger.warning("Settings to look at", extra={"advice": advice})
        open_files.raise_limit()
        inputs = read_inputs(settings)
        if not given:
            return run(inputs)
        asyncio.run(rotate_key(inputs))
    except (BadSettings, BadCredentials, BadKeySecret) as error:
        logger.critical("Cannot start", extra={"error": str(error)})
        return 2
    except (Fault, KubeError, OSError) as error:
        logger.critical("Ended by a fault", extra={"error": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    logs.log_uncaught(PACKAGE)
    sys.exit(main())
