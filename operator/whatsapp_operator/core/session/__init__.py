"""One session: what is observed of it, the decision, and how its status is written."""
