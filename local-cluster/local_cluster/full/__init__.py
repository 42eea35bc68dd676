"""The full cluster: one node with containers, Services, DNS and volumes, in namespaces of its own.

`instance` and `configs` and `components` say what one looks like and are pure; `namespaces`, `cgroups` and
`supervisor` make it so on this machine; `up`, `down`, `status` and `load` are what the command line calls.
`docs/design/local-cluster.md` tells why it is built so.
"""
