-- Argo CD's view of a WhatsAppSession. Without it an unknown kind counts as Healthy at once.
-- Goes into ConfigMap argocd-cm as resource.customizations.health.wasession.dev_WhatsAppSession: see docs/operations/gitops.md.
-- Written by `make generate` from session_protocol.states and whatsapp_operator.api.state_pages; change those.
local health = { status = "Progressing", message = "the operator has not seen it yet" }
local status = obj.status
if status == nil or status.conditions == nil then
  return health
end
if obj.metadata.generation ~= nil and (status.observedGeneration or 0) < obj.metadata.generation then
  health.message = "the operator has not seen the last change yet"
  return health
end

local ready, stalled = nil, nil
for _, condition in ipairs(status.conditions) do
  if condition.type == "Ready" then
    ready = condition
  elseif condition.type == "Stalled" then
    stalled = condition
  end
end
local state = status.state or ""
local message = state
if ready ~= nil and ready.message ~= nil and ready.message ~= "" then
  message = state .. ": " .. ready.message
end
health.message = message

-- Waits for a person by intention: an application is not broken because somebody has yet to take out a phone.
local waits_for_person = {
  QRPending = true, PairingCodePending = true, PasskeyRequired = true, LinkExpired = true, Suspended = true,
}
-- Only a person can resolve these.
local broken = {
  UnsupportedBrowser = true, Conflict = true, LoggedOut = true, TemporarilyBanned = true, Restricted = true,
}
if stalled ~= nil and stalled.status == "True" then
  health.status = "Degraded"
  health.message = stalled.message or message
elseif broken[state] then
  health.status = "Degraded"
elseif waits_for_person[state] then
  health.status = "Suspended"
elseif ready ~= nil and ready.status == "True" then
  health.status = "Healthy"
end
return health
