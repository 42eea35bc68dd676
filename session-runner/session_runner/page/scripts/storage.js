// Runs at document start, after the bridge. Notes that the browser's database fails, by what the database itself reports,
// which is the same in every language: an `abort` for want of room or of a working disk, an `open` that is refused, a
// connection that the browser closed. It only listens; a proxy still looks like a function of the browser's own.
(() => {
  if (window !== window.top || !window.__session) return;
  const session = window.__session;
  const FATAL = new Set(['QuotaExceededError', 'UnknownError']);

  const failed = (lasting) => {
    session.storage = { lasting: lasting || session.storage?.lasting === true, seen: performance.now() };
    session.wake('storage');
  };
  session.hear('storage_initialization_error', () => failed(true));
  const judge = (error, lasting) => { if (FATAL.has(error?.name)) failed(lasting); };

  IDBFactory.prototype.open = new Proxy(IDBFactory.prototype.open, {
    apply(open, factory, given) {
      const request = Reflect.apply(open, factory, given);
      request.addEventListener('error', (event) => { if (event.target === request) judge(request.error, true); });
      request.addEventListener('success', () => {
        const database = request.result;
        database.addEventListener('abort', (event) => judge(event.target.error, false));
        database.addEventListener('close', () => failed(true)); // never by the page's own close()
      });
      return request;
    },
  });
})();
