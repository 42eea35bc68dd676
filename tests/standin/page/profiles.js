// What people show of themselves: a picture, by a link to the second host, and an about text. The page asks the server when
// somebody wants to see it, and keeps nothing of it. The own name is kept by the page, the own about text by the server.

import { Collection, Model } from './emitter.js';

const { origin } = new URL(import.meta.url);

class Asked extends Collection {
  #find;

  constructor(find) {
    super();
    this.#find = find;
  }

  async find(wid) {
    return this.get(wid) ?? this.add(await this.#find(wid));
  }
}

export class ProfilePicThumbCollectionImpl extends Asked {}
export class TextStatusCollectionImpl extends Asked {}

export class Profiles {
  #connection;
  #questions = new Map();
  #asked = 0;

  pictures = new ProfilePicThumbCollectionImpl(async (wid) => {
    const { picture } = await this.#ask(wid);
    const url = picture ? `${origin}${picture}` : undefined;
    return new Model({ id: wid, img: url, imgFull: url });
  });

  abouts = new TextStatusCollectionImpl(async (wid) => new Model({ id: wid, status: (await this.#ask(wid)).about ?? undefined }));

  constructor({ connection }) {
    this.#connection = connection;
  }

  // What the two modules have that change the own profile.
  get name() { return localStorage.getItem('pushname') ?? 'Stand-in'; }

  async setName(name) {
    this.#change({ name });
    localStorage.setItem('pushname', name);
  }

  async setAbout(about) {
    this.#change({ about });
  }

  answered({ query, ...told }) {
    this.#questions.get(query)?.(told);
    this.#questions.delete(query);
  }

  #change(fields) {
    if (!this.#connection.send({ type: 'profile-set', ...fields })) throw new Error('The page is not connected.');
  }

  #ask(wid) {
    const query = `profile-${this.#asked += 1}`;
    return new Promise((resolve, reject) => {
      if (!this.#connection.send({ type: 'profile-wanted', query, wid: String(wid) })) {
        return reject(new Error('The page is not connected.'));
      }
      return this.#questions.set(query, resolve);
    });
  }
}
