// Tells of each number whether whoever has it has never written here: null where the page does not know.
async ({ numbers }) => {
  const { whatsapp } = window.WPP;
  return Promise.all(numbers.map((digits) => window.__session.isStranger(whatsapp.WidFactory.createWid(`${digits}@c.us`))));
}
