-- Replace the pod now, and show a QR code if the session is not linked. Ends Stalled and Conflict.
local os = require("os")
if type(obj.metadata.annotations) ~= "table" then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["wasession.dev/relink-at"] = os.date("!%Y-%m-%dT%XZ")
return obj
