// Acknowledges the notice that is known to be harmless, if it is still the window over the page.
() => {
  const { kind, button } = window.__session.window();
  if (kind !== 'WhatsNew') return 'gone';
  button.click();
  return 'acknowledged';
}
