// Runs at document start, after `files.js`. How a message is sent on: as a new one under an id of ours, which the page's own
// function for that does not take. A file is sent on by its key; it is fetched before, because the page gets a new link for
// one whose link has expired, and what nobody can fetch is not sent.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  const FILE = [
    'caption', 'mimetype', 'filename', 'size', 'filehash', 'encFilehash', 'mediaKey', 'mediaKeyTimestamp', 'directPath',
    'deprecatedMms3Url', 'width', 'height', 'duration', 'pageCount', 'isGif', 'isAnimated', 'waveform', 'streamingSidecar',
  ];
  const FIELDS = {
    chat: [], location: ['lat', 'lng', 'loc'], vcard: ['vcardFormattedName'], multi_vcard: ['vcardList'],
    image: FILE, video: FILE, audio: FILE, ptt: FILE, document: FILE, sticker: FILE,
  };
  const isFile = (message) => FIELDS[message.type] === FILE;

  session.sends.forward = {
    isFrom: true,
    hand: async ({ chat, about, options }) => {
      const fields = about.isViewOnce ? null : FIELDS[about.type];
      if (!fields) throw Object.assign(new Error('it cannot be sent on'), { code: 'not_forwardable' });
      if (isFile(about)) {
        await WPP.chat.downloadMedia(String(about.id)).catch(() => {
          throw Object.assign(new Error('its file cannot be had'), { code: 'not_forwardable' });
        });
      }
      const message = isFile(about) ? await session.message(about.id) ?? about : about; // with its new link
      const raw = { type: message.type, body: message.body, isForwarded: true, forwardingScore: (message.forwardingScore ?? 0) + 1 };
      for (const name of fields) if (message[name] != null) raw[name] = message[name];
      await WPP.chat.sendRawMessage(chat.id, raw, options);
    },
  };
})();
