// Runs at document start, after the bridge. Knows the page's chats when it sees them again: a session that was replaced
// keeps them on the screen, one that is refused shows a screen of its own in their place, in whatever language.
// What is compared, a few beginnings of texts, stays in the page.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  const MOST = 60; // texts that are compared
  const LONGEST_LOOK = 2000; // texts that are looked at
  const SETTLED = 2000; // milliseconds between two looks that have to find the same before it counts
  const LISTED = 'li, td, [role=listitem], [role=row], [role=gridcell], [role=option], [contenteditable=true]';
  // Without digits: a screen may count down.
  const plain = (said) => said.slice(0, 80).replace(/[\d\s]+/g, '');

  function* texts() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let seen = 0; seen < LONGEST_LOOK && walker.nextNode(); seen += 1) {
      const { data, parentElement } = walker.currentNode;
      const said = data.slice(0, 300).trim();
      if (said.length > 2 && session.isShown(parentElement)) yield { said, within: parentElement };
    }
  }
  const shown = () => {
    const found = new Set();
    for (const { said } of texts()) {
      if (plain(said).length > 2) found.add(plain(said));
      if (found.size === MOST) break;
    }
    return found;
  };
  const isLeft = (before, now) => [...before].filter((line) => now.has(line)).length >= before.size / 2;

  let seen = null; // what was there at some look
  let chats = null; // what was there at two looks

  const note = () => {
    const now = { at: performance.now(), lines: shown() };
    if (seen && now.at - seen.at < SETTLED) return;
    if (seen?.lines.size && isLeft(seen.lines, now.lines)) chats = now.lines;
    // The runner's next look may be later than what takes their place.
    if (!seen) setTimeout(() => { if (session.receives()) note(); }, SETTLED + 50);
    seen = now;
  };

  session.screen = {
    note, // while the page receives
    // Whether the chats have left the screen; null: they were not on it for long enough to know.
    isOther: () => (chats?.size ? !isLeft(chats, shown()) : null),
    // The text that begins a screen of its own: not in a list, and not there while the page received.
    ownText: (pattern) => {
      for (const { said, within } of texts()) {
        if (pattern.test(said) && !within.closest(LISTED) && !chats?.has(plain(said))) return within;
      }
      return null;
    },
  };
})();
