"""The stand-in for WhatsApp Web, WhatsApp's server and the phone: our own page that the unmodified wa-js accepts.

Tests, benchmarks and the demo need a page that behaves like WhatsApp Web where the session runner looks, without
internet and without anybody's account. Two ways in: `StandIn.start()` for a test process (loopback, free ports, own
certificate authority) and `python -m standin` for a pod. The contract is written down in docs/design/standin.md.

What belongs here: the server (Python) and the page (JavaScript under page/). What must not: anything a runner could
lean on that the real page does not have.
"""

from standin.client import PhoneClient, PhoneRefusedError
from standin.harness import StandIn
from standin.settings import Mode, Timing, Variant

__all__ = ["Mode", "PhoneClient", "PhoneRefusedError", "StandIn", "Timing", "Variant"]
