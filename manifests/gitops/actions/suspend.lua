-- Take the pod away, keep the profile with its login, and give the place in the quota back.
obj.spec.operatingMode = "Suspended"
return obj
