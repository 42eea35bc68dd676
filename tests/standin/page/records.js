// Messages as the database and the server's frames hold them: plain values, with marks where an id object was.

import { MsgKey, Wid, createWid } from './identity.js';

// What a message is only while this page shows it, above all that it is new.
const PASSING = new Set(['isNewMsg', 'local', 'mediaData', 'id', 'quotedMsg', 'stanza']);

export function pack(value) {
  if (value instanceof Wid) return { $wid: value._serialized };
  if (value instanceof MsgKey) return { $key: value._serialized };
  if (Array.isArray(value)) return value.map(pack);
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
  return packed(Object.entries(value));
}

function packed(entries) {
  const kept = entries.filter(([, one]) => one != null && typeof one !== 'function');
  return Object.fromEntries(kept.map(([name, one]) => [name, pack(one)]));
}

export function unpack(value) {
  if (Array.isArray(value)) return value.map(unpack);
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
  if ('$wid' in value) return createWid(value.$wid);
  if ('$key' in value) return MsgKey.fromString(value.$key);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, unpack(one)]));
}

const lasting = (attributes) => packed(Object.entries(attributes).filter(([name]) => !PASSING.has(name)));

export function recordOf(attributes) {
  const { id, t } = attributes;
  return { id: id._serialized, chat: id.remote._serialized, t, fields: lasting(attributes) };
}

export function changedRecord(record, attributes) {
  return { ...record, fields: { ...record.fields, ...lasting(attributes) } };
}

export function attributesOf({ id, fields }) {
  return { ...unpack(fields), id: MsgKey.fromString(id) };
}
