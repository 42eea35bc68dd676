// The digits of the linked number, or null.
() => (window.WPP?.isInjected === true ? window.WPP.whatsapp.UserPrefs.getMaybeMePnUser()?.user ?? null : null)
