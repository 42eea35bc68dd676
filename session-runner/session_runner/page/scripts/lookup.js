// Asks WhatsApp whether somebody is there: {digits} as WhatsApp writes the number, {nobody}, or null for could not ask. The
// page's own function is asked: wa-js answers from its contacts, and says null for the two latter alike.
async ({ digits, within }) => {
  const { whatsapp } = window.WPP;
  const asked = whatsapp.functions.queryWidExists(whatsapp.WidFactory.createWid(`${digits}@c.us`));
  const late = new Promise((done) => setTimeout(done, within * 1000, undefined));
  const found = await Promise.race([asked, late]).catch(() => undefined);
  if (found === undefined) return null;
  return found === null ? { nobody: true } : { digits: found.wid.user };
}
