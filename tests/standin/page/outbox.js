// What goes out. A message is stored together with the work of sending it, in one transaction, and the work stays until
// the server has answered: after a reload, or on the next connection, the page itself sends it again.

import { MsgKey } from './identity.js';
import { ACK } from './messages.js';
import { settle } from './storage.js';

export class Outbox {
  #connection;
  #database;
  #messages;
  #open = false;
  #sent = new Set(); // in this connection
  #waiting = new Map(); // message id → function that ends the wait for the server's word

  constructor({ connection, database, messages }) {
    this.#connection = connection;
    this.#database = database;
    this.#messages = messages;
  }

  async open() {
    this.#open = true;
    const jobs = await this.#database.all('job');
    for (const { frame } of jobs.sort((one, other) => one.at - other.at)) this.#send(frame);
  }

  close() {
    this.#open = false;
    this.#sent.clear();
  }

  // `kept` when it will be sent whatever happens to this page; `result` when the server has answered, perhaps never.
  // `key` names the message whose ack this is; changes of other messages have none.
  post({ frame, key, also = async () => {} }) {
    const result = new Promise((resolve) => { this.#waiting.set(frame.id, resolve); });
    const at = Date.now() * 1000 + (this.#waiting.size % 1000);
    const kept = this.#database.run('readwrite', async (store) => {
      await also(store);
      await settle(store('job').put({ id: frame.id, at, frame, key: key?._serialized }));
    }).then(() => this.#send(frame));
    return { kept, result };
  }

  acknowledged({ id, t }) {
    return this.#end(id, ACK.SENT, { messageSendResult: 'OK', t });
  }

  refused({ id, code }) {
    return this.#end(id, ACK.FAILED, { messageSendResult: 'ERROR_UNKNOWN', errorCode: code });
  }

  #send(frame) {
    if (!this.#open || this.#sent.has(frame.id)) return;
    if (this.#connection.send(frame)) this.#sent.add(frame.id);
  }

  async #end(id, ack, result) {
    const job = await this.#database.run('readwrite', async (store) => {
      const found = await settle(store('job').get(id));
      await settle(store('job').delete(id));
      if (found?.key) await this.#messages.stored.change(store, MsgKey.fromString(found.key), { ack });
      return found;
    });
    if (job?.key) this.#messages.all.get(job.key)?.set('ack', ack);
    this.#waiting.get(id)?.(result);
    this.#waiting.delete(id);
  }
}
