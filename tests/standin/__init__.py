"""The stand-in for WhatsApp Web and its phone: our own page that the unmodified wa-js accepts."""
