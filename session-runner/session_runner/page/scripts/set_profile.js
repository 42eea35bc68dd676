// Changes the own about text, or how the own account calls itself; null leaves it as it is.
async ({ own, about, name }) => {
  const { check } = window.__session;
  check(own);
  if (about !== null) await WPP.profile.setMyStatus(about);
  if (name !== null) await WPP.profile.setMyProfileName(name);
  return {};
}
