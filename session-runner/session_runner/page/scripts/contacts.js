// Gives some of the account's address book, by their ids, behind the one with the id `after`; with `next` there
// come more. Who is known by number and by LID is there under the number.
({ own, after, count }) => {
  const { check, store } = window.__session;
  check(own);
  const { ContactStore, lidPnCache } = window.WPP.whatsapp;
  const isDouble = (wid) => {
    const phone = wid.isLid() ? lidPnCache?.getPhoneNumber?.(wid) : null;
    return Boolean(phone && ContactStore.get(phone)?.isMyContact);
  };
  const places = ContactStore.getModelsArray()
    .filter(({ id, isMyContact }) => isMyContact && store.isTold(id) && !id.isGroup() && !isDouble(id))
    .map((contact) => ({ contact, id: String(contact.id) }))
    .filter(({ id }) => after === null || id > after)
    .sort((one, other) => (one.id < other.id ? -1 : 1));
  const some = places.slice(0, count);
  const contacts = some.map(({ contact }) => ({
    who: store.who(contact.id), name: store.text(contact.name), business: Boolean(contact.isBusiness),
  }));
  return { contacts, next: places.length > count ? some.at(-1).id : null };
}
