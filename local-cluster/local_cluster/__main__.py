"""`python -m local_cluster`, see `cli`."""

import sys

from local_cluster.cli import main

if __name__ == "__main__":
    sys.exit(main())
