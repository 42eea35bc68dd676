-- Which actions are possible: a session that is suspended has no pod to restart.
local suspended = type(obj.spec) == "table" and obj.spec.operatingMode == "Suspended"
return {
  restart = { disabled = suspended },
  relink = { disabled = suspended },
  suspend = { disabled = suspended },
  resume = { disabled = not suspended },
}
