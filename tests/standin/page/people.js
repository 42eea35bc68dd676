// Who is who: the number that belongs to a LID and the other way round, and the question whether somebody is there.
// What the page has learned once it knows again after a reload.

import { createWid } from './identity.js';

export class People {
  #connection;
  #database;
  #lids = new Map(); // number → LID
  #numbers = new Map(); // LID → number
  #byLid = new Set(); // LIDs under which WhatsApp addresses their people
  #questions = new Map();
  #asked = 0;

  // Two modules give the same two functions; wa-js uses the one to ask and the other to answer.
  cache = {
    getCurrentLid: (wid) => this.#lids.get(String(wid)),
    getPhoneNumber: (wid) => this.#numbers.get(String(wid)),
  };

  constructor({ connection, database }) {
    this.#connection = connection;
    this.#database = database;
  }

  async restore() {
    for (const known of await this.#database.all('lid-pn-mapping')) this.#remember(known);
  }

  async learn({ lid, number, byLid }) {
    if (!lid || !number) return;
    const known = { id: `${lid}@lid`, number: `${number}@c.us`, byLid: Boolean(byLid) };
    if (String(this.#numbers.get(known.id)) === known.number && this.#byLid.has(known.id) === known.byLid) return;
    await this.#database.put('lid-pn-mapping', known);
    this.#remember(known);
  }

  other(wid) {
    return wid.isLid() ? this.cache.getPhoneNumber(wid) : this.cache.getCurrentLid(wid);
  }

  // Under which of both a new chat with somebody is kept.
  addressed(wid) {
    const lid = wid.isLid() ? wid : this.cache.getCurrentLid(wid);
    return lid && this.#byLid.has(String(lid)) ? lid : wid;
  }

  // null for nobody; an error when the server could not be asked, or could not answer. Its silence is waited for.
  async exists(wid) {
    const query = String(this.#asked += 1);
    const answer = new Promise((resolve, reject) => { this.#questions.set(query, { resolve, reject }); });
    if (!this.#connection.send({ type: 'query-exists', query, wid: String(wid) })) {
      this.#questions.delete(query);
      throw new Error('The page is not connected.');
    }
    const found = await answer;
    if (!found) return null;
    const known = createWid(found.wid);
    await this.learn({ lid: found.lid, number: known.user, byLid: found.byLid });
    return { wid: known, biz: false, lid: this.cache.getCurrentLid(known) };
  }

  answered({ query, found }) {
    this.#questions.get(query)?.resolve(found);
    this.#questions.delete(query);
  }

  failed({ query, code }) {
    this.#questions.get(query)?.reject(Object.assign(new Error(`The server answered ${code}.`), { code }));
    this.#questions.delete(query);
  }

  #remember({ id, number, byLid }) {
    this.#lids.set(number, createWid(id));
    this.#numbers.set(id, createWid(number));
    if (byLid) this.#byLid.add(id);
    else this.#byLid.delete(id);
  }
}
