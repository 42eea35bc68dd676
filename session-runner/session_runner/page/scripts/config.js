// Read once by wa-js when it loads: no analytics, no link previews through third parties.
window.WPPConfig = { disableGoogleAnalytics: true, linkPreviewApiServers: [], deviceName: false, sendStatusToDevice: false };
