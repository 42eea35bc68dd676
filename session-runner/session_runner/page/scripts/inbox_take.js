// Gives what happened since it was last called, and where; with `again` what it gave then, too.
({ again }) => window.__session.inbox.take(again)
