// Runs at document start, after `modules`. Knows what the account may not do while it is connected: new people may not be
// written to, or no more new chats begun. Their modules tell that at any time, and their events, which nobody repeats, tell
// the end; where a module is missing its event is all there is. Their shapes are known from hearsay, so any time in them will do.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  const LOCK = 'reachout_timelock_state_change';
  const CAP = 'new_chat_message_capping_state_change';
  const maybe = (read) => { try { return read() ?? null; } catch { return null; } };
  const isRecord = (value) => typeof value === 'object' && value !== null;
  const entries = (value) => (isRecord(value) ? Object.entries(value).slice(0, 50) : []);

  const seconds = (value) => {
    const number = typeof value === 'string' && Number.isNaN(Number(value)) ? Date.parse(value) : Number(value);
    return number > 1e11 ? number / 1000 : number > 1e9 ? number : null;
  };
  const endOf = (value, depth = 0) => {
    if (!isRecord(value) || depth > 3) return null;
    const named = (names) => entries(value).filter(([key]) => names.test(key)).map(([, one]) => seconds(one));
    const inside = entries(value).map(([, one]) => endOf(one, depth + 1));
    return [...named(/expir|until|till|end|reset|^to$/i), ...inside, ...named(/cycle/i)].find((found) => found !== null) ?? null;
  };
  const endToldBy = (event) => (session.restrictions[event] ?? []).map((one) => endOf(one) ?? seconds(one)).find((found) => found !== null) ?? null;
  const isToldBy = (event) => (endToldBy(event) ?? 0) * 1000 > Date.now();
  const isCapped = (value) => [value, ...entries(value).map(([, one]) => one)].some((one) => /^capped$/i.test(one));

  session.restriction = () => {
    const locks = maybe(() => session.module('WAWebReachoutTimelockUtils'));
    const caps = maybe(() => session.module('WAWebIndividualNewChatMessageCappingLimitUtils'));
    const data = maybe(() => caps.getCappingData());
    const timeLocked = locks ? maybe(() => locks.isUserReachoutTimelocked()) === true : isToldBy(LOCK);
    const capped = caps
      ? isCapped(maybe(() => caps.getCappingStatus()) ?? data)
      : isToldBy(CAP) && session.restrictions[CAP].some(isCapped);
    // The time lock goes before the cap, as in the state that is made of them.
    return { timeLocked, capped, until: timeLocked ? endToldBy(LOCK) : capped ? endOf(data) ?? endToldBy(CAP) : null };
  };
})();
