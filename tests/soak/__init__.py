"""Bad days on a running installation: whatever goes wrong in a cluster, one after the other, and what holds all the while."""
