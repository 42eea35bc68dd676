// The QR text when the page shows none in its document: wa-js knows four of the five fields, the platform is the fifth.
async () => {
  const found = await window.WPP.conn.getAuthCode();
  const known = window.require('__debug').modulesMap;
  const id = 'WAWebCompanionRegClientUtils';
  const platform = id in known ? window.require(id).DEVICE_PLATFORM : null;
  return found?.fullCode && platform !== null && platform !== undefined ? `${found.fullCode},${platform}` : null;
}
