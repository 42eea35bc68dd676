// The end of a login, whoever ends it: forget both halves and all chats, tell the listeners, load the page anew.

const CODES = { client_fatal: 0, syncd_failure: 1, history_sync_timeout: 2, account_locked: 3 };

// wa-js wraps this function on its exports object, so callers go through the object.
export const reasons = {
  getErrorCodeFromLogoutReason: (reason) => CODES[reason],
};

const patience = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

export class Logout {
  screen = null; // set while it lasts
  #login;
  #state;
  #announce;
  #connection;
  #database;
  #running = false;

  constructor({ login, state, announce, connection, database }) {
    this.#login = login;
    this.#state = state;
    this.#announce = announce;
    this.#connection = connection;
    this.#database = database;
  }

  // The user's own logout also tells the server, but does not wait long for it.
  async byUser() {
    this.#connection.send({ type: 'logout' });
    await this.run('user_initiated');
  }

  // Without a reason: the device was removed, or the login was refused.
  async run(reason) {
    if (this.#running) return;
    this.#running = true;
    this.#announce.backend('starting_logout');
    await Promise.race([Promise.all([this.#login.clear(), this.#database.destroy()]), patience(5000)]);
    this.#connection.stop();
    this.#state.derive();
    const code = reason === undefined ? undefined : reasons.getErrorCodeFromLogoutReason(reason);
    this.#announce.loggedOut();
    if (code === undefined) location.reload();
    else location.assign(`/?logout_reason=${code}`);
    this.#announce.backend('logout', reason); // after the navigation began, so listeners may miss it
  }
}
