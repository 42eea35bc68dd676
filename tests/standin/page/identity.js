// Who and which message: the ids of people, groups and messages, in the forms that wa-js makes and compares.

export class Wid {
  constructor(user, server) {
    this.user = user;
    this.server = server;
    this._serialized = `${user}@${server}`;
  }

  // Known to wa-js by this name; the argument may be anything.
  static isXWid(server, value) {
    return value instanceof Wid && value.server === server;
  }

  toString() { return this._serialized; }
  toJid() { return this._serialized; }
  equals(other) { return other != null && String(other._serialized ?? other) === this._serialized; }
  isUser() { return this.server === 'c.us' || this.isLid(); }
  isGroup() { return this.server === 'g.us'; }
  isLid() { return this.server === 'lid'; }
  isBot() { return this.server === 'bot'; }
  isNewsletter() { return this.server === 'newsletter'; }
  isBroadcast() { return this.server === 'broadcast'; }
  isStatus() { return this._serialized === 'status@broadcast'; }
}

export function createWid(text) {
  const [user, server = 'c.us'] = String(text).split('@');
  return new Wid(user.split(':')[0], server);
}

export const widFactory = {
  createWid,
  createWidFromWidLike: (value) => createWid(value._serialized ?? value),
  isWidlike: (value) => value instanceof Wid,
  createUserWidOrThrow: (user, server) => new Wid(String(user).split('@')[0], server ?? 'c.us'),
};

export class MsgKey {
  // Two forms: {id, remote, fromMe, participant} and {id, from, to, selfDir, participant}.
  constructor(parts) {
    if (!parts) throw new Error('MsgKey error: obj is null/undefined');
    this.fromMe = parts.fromMe ?? parts.selfDir === 'out';
    this.remote = parts.remote ?? (this.fromMe ? parts.to : parts.from);
    this.id = parts.id;
    this.participant = parts.participant;
    const fields = [this.fromMe, this.remote, this.id];
    if (this.participant) fields.push(this.participant);
    this._serialized = fields.join('_');
  }

  static newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(9));
    return `3EB0${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('').toUpperCase()}`;
  }

  static fromString(text) {
    const [fromMe, remote, id, participant] = String(text).split('_');
    return new MsgKey({
      id, fromMe: fromMe === 'true', remote: createWid(remote), participant: participant && createWid(participant),
    });
  }

  toString() { return this._serialized; }
  equals(other) { return other != null && String(other) === this._serialized; }
}
