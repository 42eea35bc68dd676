// Files: what wa-js calls opaque data, preparation and media data, and their way up and down beside the messages, by HTTP
// from the second host. A browser reads and writes them in pieces; only who asks for the bytes has them whole.

const origin = new URL(import.meta.url).origin;

export const hexToBase64 = (hex) => btoa(String.fromCharCode(...hex.match(/../g).map((byte) => parseInt(byte, 16))));

export class MediaData {
  mediaBlob = null; // until it has been fetched

  constructor({ mimetype, size, filehash }) {
    Object.assign(this, { mimetype, size, filehash });
  }

  static of(blob) {
    const data = new MediaData({ mimetype: blob.type, size: blob.size });
    data.hold(blob);
    return data;
  }

  hold(blob) {
    this.mediaBlob = { forceToBlob: () => blob };
  }
}

export class Transfers {
  #connection;
  #wanted = new Map(); // file → those who wait for a new link

  constructor({ connection }) {
    this.#connection = connection;
  }

  async up(file) {
    // A slice has no type: with one, the browser would first ask the other host whether it may.
    const response = await fetch(`${origin}/media`, { method: 'POST', body: file.slice() });
    if (!response.ok) throw new Error(`The file was not taken: ${response.status}.`);
    return response.json();
  }

  // A link that has expired is renewed once, from the phone; what the phone has no more cannot be had.
  async down(msg) {
    let response = await fetch(`${origin}${msg.directPath}`);
    if (response.status === 410) {
      const link = await this.#renew(msg.mediaKey);
      if (!link) return;
      msg.set('directPath', link);
      response = await fetch(`${origin}${link}`);
    }
    if (!response.ok) throw new Error(`The file could not be had: ${response.status}.`);
    const pieces = await response.blob();
    msg.mediaData.hold(new Blob([pieces], { type: msg.mimetype ?? 'application/octet-stream' }));
  }

  renewed({ media, link }) {
    for (const resolve of this.#wanted.get(media) ?? []) resolve(link);
    this.#wanted.delete(media);
  }

  #renew(media) {
    return new Promise((resolve, reject) => {
      if (!this.#connection.send({ type: 'media-wanted', media })) return reject(new Error('The page is not connected.'));
      return this.#wanted.set(media, [...(this.#wanted.get(media) ?? []), resolve]);
    });
  }
}

export class OpaqueData {
  static async createFromData(file, type) {
    return Object.assign(new OpaqueData(), { file, type });
  }
}

const kindOf = (type, { asDocument, asSticker, isPtt }) => {
  if (asSticker) return 'sticker';
  const [family] = type.split('/');
  if (family === 'audio' && isPtt) return 'ptt';
  return !asDocument && ['image', 'video', 'audio'].includes(family) ? family : 'document';
};

export class MediaPrep {
  #file;
  #send;
  #kind;
  #precomputed;

  constructor({ file, options, send }) {
    this.#precomputed = options.precomputedFields; // wa-js decodes a voice note to know them
    this.#file = file;
    this.#send = send;
    this.#kind = kindOf(file.type, options);
    this.mediaData = MediaData.of(file);
  }

  async waitForPrep() {
    return this.mediaData;
  }

  // One declared parameter: wa-js looks at the function's length to choose the way it calls.
  sendToChat({ options }) {
    const { productMsgOptions, caption } = options;
    const fields = {
      ...productMsgOptions, type: this.#kind, caption, mimetype: this.#file.type, filename: this.#file.name,
      duration: this.#precomputed?.duration,
    };
    return this.#send(fields, this.#file, this.mediaData);
  }
}
