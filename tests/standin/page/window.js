// What a person does to the page's window, by a socket of its own: it works whatever the page's connection does, and
// nothing of the page depends on it.

export function obeyWindow(mutex) {
  const acts = { reload: () => location.reload(), 'other-tab': () => mutex.giveToOther() };
  const socket = new WebSocket(`wss://${location.host}/ws/window`);
  socket.onmessage = ({ data }) => acts[data]();
}
