// Hands messages over to the page, unless it has them already, and tells of each what came of it; with `look` it only looks.
// Those of one chat go one after the other, chats beside each other. What an answer means is told in `sends.js`; besides
// there is {failed}, for what the page did not take, {held} for what came behind it in its chat and was not begun, and
// {pending} for what the page is still at: the runner is woken when that is over, and asks again. So a chat in which the
// page hangs costs the others a moment, once.
// A file may take long to go up, or down where a message with one is sent on, and so may a preview to be made: such a
// message comes alone, and is waited for a little longer.
async ({ own, messages }) => {
  const { check, hand, handing, takeFile, wakeOften } = window.__session;
  const file = takeFile(); // at once: the next caller has another one
  check(own);
  const EVERY = 50; // ms
  const KEPT = 60_000; // ms for which is known what came of one whose caller did not wait
  const isLong = ({ kind, content }) => file !== null || kind === 'forward' || Boolean(content.preview_url);
  const LONGEST = 60; // times of looking, in all
  const QUIET = messages.some(isLong) ? LONGEST : 6; // the same, since something was over

  let [isOver, quiet] = [false, 0];
  const begin = (wanted) => {
    const { id } = wanted;
    const handed = hand({ ...wanted, file });
    const one = { handed, isOver: false, isLate: false };
    handing.set(id, one);
    const forget = () => { if (handing.get(id) === one) handing.delete(id); };
    const end = () => {
      one.isOver = true;
      quiet = 0;
      if (!one.isLate) { forget(); return; }
      setTimeout(forget, KEPT);
      wakeOften('handed');
    };
    handed.then(end, end);
    return one;
  };

  const answers = new Map(messages.map(({ id }) => [id, { held: true }]));
  const inTurn = async (some) => {
    for (const wanted of some) {
      if (isOver) return;
      answers.set(wanted.id, { pending: true }); // until it is known
      const before = handing.get(wanted.id);
      if (before?.isOver === false) return;
      try { answers.set(wanted.id, await (before ?? begin(wanted)).handed); } catch {
        if (!isOver) handing.delete(wanted.id); // whoever asks again begins anew
        answers.set(wanted.id, { failed: true });
        return;
      }
    }
  };
  const chats = Map.groupBy(messages, ({ to }) => to);
  const all = Promise.all([...chats.values()].map(inTurn)).then(() => { isOver = true; });
  for (let looks = 0; !isOver && looks < LONGEST && quiet < QUIET; looks += 1, quiet += 1) {
    await Promise.race([all, new Promise((done) => { setTimeout(done, EVERY); })]);
  }
  isOver = true;
  for (const { id } of messages) if (answers.get(id)?.pending && handing.has(id)) handing.get(id).isLate = true;
  return messages.map(({ id }) => answers.get(id));
}
