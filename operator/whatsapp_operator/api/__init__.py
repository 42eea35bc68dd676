"""The contract: WhatsAppSession and WhatsAppSessionQuota as models, and what makes the CRDs from them. No I/O.

The models are the one source: `make generate` writes `crds/` and
`docs/reference/api.md` from them, and a test fails when those differ. What other layers import:

* `session`, `quota`: the two kinds with all their parts;
* `conditions`, `states`, `requests`: the vocabularies and the pure changes to them;
* `resources.effective`: the four amounts a pod has;
* `quantities`, `durations`, `times`: texts of manifests and the values behind them;
* `constants`: the group, annotation keys, label keys.
"""
