// Appears as nobody who looks at the page. wa-js also keeps the page itself from saying otherwise.
async () => {
  await window.WPP.conn.markUnavailable();
  return 'unavailable';
}
