// Gives who was seen doing what since this was last called, and notes it from now on if it is wanted.
({ wanted }) => window.__session.contactPresence(wanted)
