// Asks WhatsApp whether somebody is there: {digits, lid} as WhatsApp writes them, {nobody}, or null for could not ask; with
// `about` also whether their chat has that message: {missing} when it has not; {stranger} when they have never written, null
// for not known. The page's own function is asked: wa-js
// answers from its contacts, and says null for the two latter alike.
async ({ digits, about, within }) => {
  const { chat, whatsapp } = window.WPP;
  const ask = async () => {
    const found = await whatsapp.functions.queryWidExists(whatsapp.WidFactory.createWid(`${digits}@c.us`));
    if (found === null) return { nobody: true };
    const known = about !== null && (chat.get(found.wid) ?? (found.lid && chat.get(found.lid)));
    const message = known ? await window.__session.find(known, about) : null;
    const missing = about !== null && (message === null || message.type === 'revoked');
    return { digits: found.wid.user, lid: found.lid?.user ?? null, missing, stranger: await window.__session.isStranger(found.wid) };
  };
  return window.__session.within(within * 1000, ask()).catch(() => null);
}
