// Every word on the page that anybody might take for a sign, in two languages. The English ones are the real page's where
// they are known; whoever goes by them alone is blind in the other language.

const TEXTS = {
  en: {
    loading: 'Loading your chats',
    waiting: 'Waiting for a code',
    scan: 'Scan this code with the phone of the stand-in.',
    reload: 'Click to reload QR code',
    chats: 'Chats',
    banned: ["You're temporarily banned", 'This account is not allowed to use the service.'],
    unavailable: ['Service unavailable', 'The server asks to come back later.'],
    passkey: ['Continue on WhatsApp Web', 'Use your passkey to link this device.'],
    confirmation: ['Almost done', 'Confirm on the phone that it is you.'],
    locked: ['Screen locked', 'Enter the password to go on.'],
    offline: ['Computer not connected', 'The page connects again when the network is back.'],
    'other-tab': ['WhatsApp is open in another window. Click "Use here" to use WhatsApp in this window.', 'Close', 'Use here'],
    'passkey-check': ['Quick security check with Passkey', 'Continue', 'Log out of WhatsApp Web'],
    'action-required': ["What's new on WhatsApp Web", 'Continue'],
    terms: ['WhatsApp Web has new terms', 'Continue'],
    readTerms: 'Read them',
    storage: ['The browser could not store the login.'],
  },
  de: {
    loading: 'Deine Chats werden geladen',
    waiting: 'Der Code kommt gleich',
    scan: 'Scanne diesen Code mit dem Telefon.',
    reload: 'Neuen Code laden',
    chats: 'Unterhaltungen',
    banned: ['Du bist vorübergehend gesperrt', 'Dieses Konto darf den Dienst nicht benutzen.'],
    unavailable: ['Dienst nicht erreichbar', 'Der Server bittet darum, später wiederzukommen.'],
    passkey: ['Weiter in WhatsApp Web', 'Verknüpfe dieses Gerät mit deinem Hauptschlüssel.'],
    confirmation: ['Fast fertig', 'Bestätige auf dem Telefon, dass du es bist.'],
    locked: ['Bildschirm gesperrt', 'Gib das Kennwort ein.'],
    offline: ['Computer nicht verbunden', 'Die Seite verbindet sich wieder, sobald das Netz da ist.'],
    'other-tab': ['WhatsApp ist in einem anderen Fenster offen.', 'Schließen', 'Hier verwenden'],
    'passkey-check': ['Kurze Sicherheitsabfrage', 'Weiter', 'Von WhatsApp Web abmelden'],
    'action-required': ['Neues in WhatsApp Web', 'Weiter'],
    terms: ['WhatsApp Web hat neue Bedingungen', 'Weiter'],
    readTerms: 'Lies sie',
    storage: ['Der Browser konnte die Anmeldung nicht speichern.'],
  },
};

export const texts = () => TEXTS[document.documentElement.lang] ?? TEXTS.en;
