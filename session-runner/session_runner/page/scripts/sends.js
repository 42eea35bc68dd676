// Runs at document start, after `messages.js`. How each kind of content is handed over to the page, by its name in the
// outbox. `hand` begins it and returns when the page has it; `has` tells whether the page has it already, and is only
// needed by what is no message under a key of ours. Nothing is done besides: the chat is not marked as read, digits are
// no mentions, no link is fetched, and nobody waits for the server.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  session.sends = {
    text: { hand: ({ chat, content, options }) => WPP.chat.sendTextMessage(chat.id, content.body, options) },
  };

  // {key} under which the page keeps it, {missing} when the message that it is about is not there, null when it was only
  // looked for and is not there. The key is built here, because the chat of a number may be kept under another id.
  session.hand = async ({ id, to, kind, content, replyTo, look }) => {
    const { chat: chats, whatsapp } = WPP;
    const chat = await chats.find(whatsapp.WidFactory.createWid(to));
    const key = new whatsapp.MsgKey({ id, remote: chat.id, fromMe: true });
    const { has, hand } = { has: async () => await session.message(key) !== null, ...session.sends[kind] };
    if (await has({ chat, content, key })) return { key: String(key) };
    if (look) return null;
    const options = {
      messageId: key, createChat: true, linkPreview: false, detectMentioned: false, markIsRead: false, waitForAck: false,
    };
    if (replyTo !== null) {
      options.quotedMsg = await session.find(chat, replyTo);
      if (options.quotedMsg === null) return { missing: true };
    }
    await hand({ chat, content, key, options });
    return { key: String(key) };
  };
})();
