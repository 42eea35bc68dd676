"""The build backend of the repository's root: it tells a person who installs the root what there is to install."""

import sys

sys.exit(
    "This is the development environment, not a program: `pip install ./operator`, `pip install ./session-runner` or"
    " `pipx install ./plugin` install the programs, `make setup` makes the environment."
)
