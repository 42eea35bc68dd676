// Gives the chats in which there may be messages since then, and whether the first synchronisation is over.
({ since }) => window.__session.inbox.chats(since)
