// Reactions: the last one of each person to a message, kept beside the messages. They are no messages and no changes of
// one; wa-js hears of them because it wraps the function below on its exports object.

import { settle } from './storage.js';

export const reactionsModel = {
  addOrUpdateReactionsModelCollection() {},
};

export class Reactions {
  #database;

  constructor({ database }) {
    this.#database = database;
  }

  told({ id, t, parent, text, sender }) {
    return {
      id: `${parent}|${sender}`, msgKey: String(id), parentMsgKey: String(parent), reactionText: text,
      senderUserJid: String(sender), t, timestamp: t, read: false, orphan: 0, fromMe: id.fromMe,
    };
  }

  // In the caller's transaction. An empty text takes the reaction away.
  keep(store, told) {
    return settle(told.reactionText ? store('reactions').put(told) : store('reactions').delete(told.id));
  }

  show(told) {
    reactionsModel.addOrUpdateReactionsModelCollection(told, true);
  }

  async of(key) {
    const mine = (await this.#database.all('reactions')).filter(({ parentMsgKey }) => parentMsgKey === String(key));
    const byEmoji = Map.groupBy(mine, ({ reactionText }) => reactionText);
    const reactions = [...byEmoji].map(([aggregateEmoji, senders]) => ({
      aggregateEmoji, hasReactionByMe: senders.some(({ fromMe }) => fromMe), senders,
    }));
    return { reactionByMe: mine.find(({ fromMe }) => fromMe), reactions };
  }
}
