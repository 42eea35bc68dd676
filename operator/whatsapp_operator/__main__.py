"""`python -m whatsapp_operator`: see `whatsapp_operator.app.main`."""

import sys

from whatsapp_operator.app.main import main

if __name__ == "__main__":
    sys.exit(main())
