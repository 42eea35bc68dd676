"""How the facts of the page become a state of the session. Pure."""
