// Gives what is in some messages.
({ keys }) => window.__session.inbox.read(keys)
