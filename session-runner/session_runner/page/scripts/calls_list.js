// Gives the calls that ring.
() => window.__session.calls()
