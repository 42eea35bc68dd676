// Files: what wa-js calls opaque data, preparation and media data, reduced to a Blob that is carried along.

const BASE64_CHUNK = 0x8000;

function base64Of(bytes) {
  let letters = '';
  // In pieces: a call with millions of arguments would overflow the stack.
  for (let start = 0; start < bytes.length; start += BASE64_CHUNK) {
    letters += String.fromCharCode(...bytes.subarray(start, start + BASE64_CHUNK));
  }
  return btoa(letters);
}

export class MediaData {
  constructor(blob) {
    this.mimetype = blob.type;
    this.size = blob.size;
    this.mediaBlob = { forceToBlob: () => blob };
  }

  static fromBase64({ data, mimetype }) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    return new MediaData(new Blob([bytes], { type: mimetype ?? 'application/octet-stream' }));
  }
}

export class OpaqueData {
  static async createFromData(file, type) {
    return Object.assign(new OpaqueData(), { file, type });
  }
}

// What the server gets of a file: its digest and size prove the content, the content itself stays small on the phone.
export async function encodeFile(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return {
    mimetype: file.type, filename: file.name, size: bytes.length,
    sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    ...(bytes.length <= 65536 ? { data: base64Of(bytes) } : {}),
  };
}

const kindOf = (type, { asDocument, asSticker }) => {
  if (asSticker) return 'sticker';
  const [family] = type.split('/');
  return !asDocument && ['image', 'video', 'audio'].includes(family) ? family : 'document';
};

export class MediaPrep {
  #file;
  #send;
  #kind;

  constructor({ file, options, send }) {
    this.#file = file;
    this.#send = send;
    this.#kind = kindOf(file.type, options);
    this.mediaData = new MediaData(file);
  }

  async waitForPrep() {
    return this.mediaData;
  }

  // One declared parameter: wa-js looks at the function's length to choose the way it calls.
  sendToChat({ chat, options }) {
    const { productMsgOptions, caption } = options;
    const fields = {
      ...productMsgOptions, type: this.#kind, caption, mimetype: this.#file.type, filename: this.#file.name,
    };
    return this.#send(chat, fields, this.#file, this.mediaData);
  }
}
