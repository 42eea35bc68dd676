// Hands a text over to the page, unless it has the message already; returns the key under which the page keeps it. Without
// a text it only looks, and returns null when the page does not have it. A page of another number than its own, if that is
// known, does neither. The key is built here, because the chat of a number may be kept under another id. Nothing is done
// besides: the chat is not marked as read, digits are no mentions, no link is fetched, and nobody waits for the server.
async ({ id, own, to, text }) => {
  const { chat, whatsapp } = window.WPP;
  const { handing, message, module } = window.__session;
  if (own !== null && /^\d+/.exec(module('WAWebUserPrefsMeUser').getMaybeMePnUser())?.[0] !== own) throw new Error('another account is linked');
  const hand = async () => {
    const found = await chat.find(whatsapp.WidFactory.createWid(to));
    const key = new whatsapp.MsgKey({ id, remote: found.id, fromMe: true });
    if (await message(key) === null) {
      if (text === null) return null;
      await chat.sendTextMessage(found.id, text, {
        messageId: key, createChat: true, linkPreview: false, detectMentioned: false, markIsRead: false, waitForAck: false,
      });
    }
    return String(key);
  };
  if (!handing.has(id)) handing.set(id, hand().finally(() => handing.delete(id)));
  return handing.get(id);
}
