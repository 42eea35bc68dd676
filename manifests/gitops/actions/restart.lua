-- Replace the pod now. Ends Stalled and Conflict.
local os = require("os")
if type(obj.metadata.annotations) ~= "table" then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["wasession.dev/restart-at"] = os.date("!%Y-%m-%dT%XZ")
return obj
