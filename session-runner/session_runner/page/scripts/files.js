// Runs at document start, after `sends.js`. How files are handed over: the browser puts one that lies on our disk into an
// input that nobody sees, and reads it from there in pieces while the page sends it up.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  session.input = Object.assign(document.createElement('input'), { type: 'file' });
  session.takeFile = () => {
    const [file] = session.input.files;
    session.input.value = '';
    return file ?? null;
  };
  session.downloads = new Map(); // key of a message -> promise of its file, see `download.js`
  session.lost = new Set(); // ids of messages whose file did not go up: the page shows them, and has not stored them

  // The page has a message with a file when the file is up; what is told before that is gone with the next document. Its
  // own promise comes with the server's word, which may never come.
  const send = (type) => ({
    hand: async ({ id, chat, key, content, file, options }) => {
      const kind = content.ptt ? 'audio/ogg; codecs=opus' : content.mime_type; // as the page's own voice notes have it
      const named = new File([file], content.filename, { type: kind });
      let [said, failed] = [false, null];
      session.lost.delete(id);
      WPP.chat.sendFileMessage(chat.id, named, {
        ...options, type, caption: content.caption ?? undefined, isPtt: content.ptt, waveform: content.waveform, waitForAck: true,
      }).then(() => { said = true; }, (error) => { failed = error ?? new Error('not sent'); });
      while (!said && !(await session.message(key))?.directPath) {
        if (failed !== null) {
          session.lost.add(id);
          throw failed;
        }
        await new Promise((done) => { setTimeout(done, 100); });
      }
    },
  });
  for (const type of ['image', 'video', 'audio', 'document', 'sticker']) session.sends[type] = send(type);
})();
