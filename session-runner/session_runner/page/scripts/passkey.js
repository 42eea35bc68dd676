// Runs at document start, after the bridge. Notes that the page asks for the owner's passkey, by the browser's own function
// for it, which is the same in every language. A browser without an authenticator answers that with an error, and the
// page's screen stays; so it is over when the page shows another QR code, or the same one again, or is linked.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  let asked = null;

  if (window.CredentialsContainer) CredentialsContainer.prototype.get = new Proxy(CredentialsContainer.prototype.get, {
    apply(get, credentials, given) {
      const answer = Reflect.apply(get, credentials, given);
      const wanted = given[0]?.publicKey;
      if (!wanted || given[0].mediation === 'conditional') return answer; // an offer to fill in, which no screen waits for
      const request = { until: wanted.timeout > 0 ? (Date.now() + wanted.timeout) / 1000 : null, code: session.shownCode(), pending: true };
      asked = request;
      session.wake('passkey');
      const over = () => { request.pending = false; session.wake('passkey'); };
      answer.then(over, over);
      return answer;
    },
  });

  // A screen that the probe knows by its words is followed by others, of which it may know none.
  session.passkey = ({ registered, code, isShown }) => {
    if (registered !== false) {
      if (registered && !asked?.pending) asked = null;
      return asked && { until: asked.until };
    }
    if (isShown && !code) asked ??= { until: null, code: null, pending: false };
    if (asked && code && code !== asked.code) asked = null;
    else if (asked && !code) asked.code = null; // its screen has taken the code's place: any code is the end of it
    if (asked) return { until: asked.until };
    return isShown ? { until: null } : null;
  };
})();
