// Hands messages over to the page, unless it has them already, and tells of each what came of it; with `look` it only looks.
// Those of one chat go one after the other, chats beside each other. What an answer means is told in `sends.js`; besides
// there is {failed}, for what the page did not take, and {held} for what came behind it in its chat and was not begun.
// A file may take long to go up, or down where a message with one is sent on, and so may a preview to be made: such a
// message comes alone, and {pending} means that whoever asks again is told how it went.
async ({ own, messages }) => {
  const { check, hand, handing, takeFile } = window.__session;
  const file = takeFile(); // at once: the next caller has another one
  check(own);
  const isLong = ({ kind, content }) => file !== null || kind === 'forward' || Boolean(content.preview_url);
  const begin = (wanted) => {
    const { id } = wanted;
    if (!handing.has(id)) {
      const handed = hand({ ...wanted, file });
      const forget = () => handing.delete(id);
      handing.set(id, handed);
      handed.then(() => (isLong(wanted) ? setTimeout(forget, 60_000) : forget()), forget);
    }
    return handing.get(id);
  };

  const answers = new Map(messages.map(({ id }) => [id, { held: true }]));
  let isOver = false;
  const inTurn = async (some) => {
    for (const wanted of some) {
      if (isOver) return;
      answers.set(wanted.id, isLong(wanted) ? { pending: true } : { failed: true }); // until it is known
      try { answers.set(wanted.id, await begin(wanted)); } catch {
        answers.set(wanted.id, { failed: true });
        return;
      }
    }
  };
  const chats = Map.groupBy(messages, ({ to }) => to);
  const longest = new Promise((late) => { setTimeout(late, messages.some(isLong) ? 3000 : 10_000); });
  await Promise.race([Promise.all([...chats.values()].map(inTurn)), longest]);
  isOver = true;
  return messages.map(({ id }) => answers.get(id));
}
