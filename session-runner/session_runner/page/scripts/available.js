// Appears as a person who looks at the page, for a moment.
async () => {
  await window.WPP.conn.markAvailable(true);
  return 'available';
}
