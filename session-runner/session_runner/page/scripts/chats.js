// Gives some of the chats, those first in which something was written last: of one second by their ids, so that whoever
// asks again with `next` gets what follows; null: nothing does.
({ own, after, count }) => {
  const { check, store } = window.__session;
  check(own);
  const { ChatStore, ContactStore } = window.WPP.whatsapp;
  const timeOf = ({ t, msgs }) => store.number(t) ?? Math.max(0, ...(msgs?.getModelsArray() ?? []).map((message) => store.number(message.t) ?? 0));
  const places = ChatStore.getModelsArray().filter(({ id }) => store.isTold(id))
    .map((chat) => ({ chat, t: timeOf(chat), id: String(chat.id) }))
    .filter(({ t, id }) => after === null || t < after[0] || (t === after[0] && id > after[1]))
    .sort((one, other) => other.t - one.t || (one.id < other.id ? -1 : 1));
  const some = places.slice(0, count);
  const chats = some.map(({ chat, t }) => ({
    who: store.who(chat.id), t, unread: store.number(chat.unreadCount) ?? 0, archived: Boolean(chat.archive),
    name: store.text(ContactStore.get(chat.id)?.name) ?? store.text(chat.name) ?? store.text(chat.formattedTitle),
  }));
  const last = places.length > count ? some.at(-1) : null;
  return { chats, next: last && [last.t, last.id] };
}
