-- Give the session a pod again. Ends Stalled and Conflict.
obj.spec.operatingMode = "Running"
return obj
