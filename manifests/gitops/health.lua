-- Argo CD's view of a WhatsAppSession. Without it an unknown kind counts as Healthy at once.
-- Goes into ConfigMap argocd-cm as resource.customizations.health.wasession.dev_WhatsAppSession: see docs/operations/gitops.md.
-- Written by `make generate` from session_protocol.states and whatsapp_operator.api.gitops; change those.
-- Argo CD opens no library of Lua for it but the basic functions, table and a part of os.
local function map(value)
  if type(value) == "table" then return value end
  return {}
end
local function text(value)
  if type(value) == "string" then return value end
  return ""
end

local metadata, status = map(obj.metadata), map(obj.status)
local state = text(status.state)
local conditions = {}
for _, condition in pairs(map(status.conditions)) do
  conditions[text(map(condition).type)] = map(condition)
end
local ready, stalled, suspended = map(conditions.Ready), map(conditions.Stalled), map(conditions.Suspended)

local function asks_for(request)
  local wanted = text(map(metadata.annotations)["wasession.dev/" .. request])
  return wanted ~= "" and wanted ~= map(status.handledRequests)[request]
end
local function health(word, message, otherwise)
  if message == "" then message = otherwise end
  return { status = word, message = message }
end

-- A person is expected by intention: an application is not broken because somebody has yet to take out a phone.
local waiting = {
  QRPending = true, PairingCodePending = true, PasskeyRequired = true, LinkExpired = true, Suspended = true,
}
-- Only a person can mend these.
local broken = {
  Stalled = true, UnsupportedBrowser = true, Conflict = true, TemporarilyBanned = true, Restricted = true,
  ActionRequired = true, UpdateNeeded = true, ScreenLocked = true, Degraded = true,
}
-- A request is carried out in these states, and with these reasons of Stalled; what is then is a new pod's.
local resumable = {
  UnsupportedBrowser = true, LinkExpired = true, Conflict = true, LoggedOut = true, TemporarilyBanned = true,
  Restricted = true, ActionRequired = true, UpdateNeeded = true, ScreenLocked = true, Degraded = true,
  RecoveryExhausted = true,
}

local message = state
if text(ready.message) ~= "" then message = state .. ": " .. ready.message end
local is_stalled = stalled.status == "True"
local observed, generation = tonumber(status.observedGeneration), tonumber(metadata.generation)
if observed == nil or observed < 0 then
  return health("Progressing", "the operator has not seen it yet")
elseif generation ~= nil and observed ~= generation then
  return health("Progressing", "the operator has not seen the last change yet")
elseif suspended.reason == "Suspending" then
  return health("Progressing", text(suspended.message), message)
elseif (resumable[state] or (is_stalled and resumable[text(stalled.reason)]))
    and (asks_for("restart-at") or asks_for("relink-at")) then
  return health("Progressing", "the operator has not done yet what was asked for")
elseif is_stalled then
  return health("Degraded", text(stalled.message), message)
elseif broken[state] then
  return health("Degraded", message)
elseif waiting[state] then
  return health("Suspended", message)
elseif ready.status == "True" then
  return health("Healthy", message)
end
return health("Progressing", message)
