"""What the API server answers to what it refuses, rule by rule."""

FILE_SIZE = "must be from 1Ki to 100Mi: write 64Mi for 64 mebibytes, or leave it out"
QUANTITY = "must be a quantity such as 384Mi, 1Gi, 500m or 2"
DURATION = "must be a duration of whole numbers with units, such as 30s, 5m or 1h30m"
SECOND = "must be at least 1s: write 30s for 30 seconds, or leave it out for the default"
ANSWER = "must be at least 3s, which one answer may take on a busy node: raise it, or leave it out for the default"
CPU = "must be at least 1m, a thousandth of a CPU; leave it out for the default"
REQUEST = "must be at least 1Mi: write 384Mi for 384 mebibytes, or leave it out"
LIMIT = "must be at least 256Mi, less does not hold a browser: raise it or leave it out"
DISK = "must be at least 256Mi, less does not hold a browser's caches: raise it or leave it out"
DISK_REQUEST = "must be at least 1Mi: write 128Mi for 128 mebibytes, or leave it out"
SIZE = "must be at least 1Mi: write 2Gi for 2 gibibytes, or leave it out"
DAY = "must be at most 24h: shorten it, or leave it out for the default"
DELAY = "must be at most 5m, the longest delay between two attempts: shorten it, or leave it out for the default"
MAKES = "size and storageClassName are for a claim that the operator creates: remove them, or remove existingClaim"
NOT_OURS = "an existing claim is never deleted by the operator: remove retention, or remove existingClaim"
ONE = "a session has exactly one pod: to stop it set spec.operatingMode to Suspended"
RESERVED = "are set by the operator: remove app.kubernetes.io/managed-by and all keys under wasession.dev/"
KEY = (
    "a key must be a name of at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, "
    "and may have a prefix such as example.com/"
)
VALUE = "a value must have letters, digits, '-', '_' and '.' alone, and begin and end with a letter or digit"
CLASS = (
    "must be the name of a StorageClass, or empty for a volume made by hand: lower case letters, digits, '-' and '.', "
    "beginning and ending with a letter or digit"
)
ANNOTATIONS = "annotations must have at most 2400 characters altogether, and 768 each: put more into a ConfigMap"
SHORTER = "a key must have at most 100 characters here, its prefix included: choose a shorter one"
LONG_KEY = "x" * 60 + ".example.com/" + "x" * 40
PLAIN = "must be made of letters, digits, '-', '_', '.' and '/' alone"
IMAGE = "must be an image's name without blanks, such as registry.example.com/whatsapp-runner:0.1.0"
EVERY = (
    "without a key it fits every taint, which needs operator Exists: set operator to Exists, or write the taint's key"
)
STAYS = "tolerationSeconds is for effect NoExecute: set effect to NoExecute, or remove tolerationSeconds"
SOME = "In and NotIn need values to compare with: add values, or set operator to Exists or DoesNotExist"
NONE = "Exists and DoesNotExist take no values: remove values, or set operator to In or NotIn"
NUMBER = "Gt and Lt compare with a number: values must be one whole number, in quotes, and nothing else"
KEYS = (
    "a key may be in matchLabelKeys or in labelSelector, not in both (without a labelSelector, app.kubernetes.io/name "
    "is in it): remove it from matchLabelKeys"
)
PLACE = (
    "must be a label's key, such as topology.kubernetes.io/zone: at most 63 letters, digits, '-', '_' and '.', beginning "
    "and ending with a letter or digit, and may have a prefix such as example.com/"
)
PLACES = "minDomains is for whenUnsatisfiable DoNotSchedule: set it to that, or remove minDomains"
ADDRESS = "must be an IP address such as 10.0.0.53 or fd00::53, not a name"
DOMAIN = (
    "must be a domain such as corp.example.com: lower case letters, digits, '-' and '.', each part beginning and ending "
    "with a letter or digit"
)
RESOLVER = "with dnsPolicy None the pod has no resolver but yours: add dnsConfig.nameservers, or remove dnsPolicy"
OPTION = (
    "must be the name of one resolver option, such as ndots: letters, digits, '-' and '_'; its value stands in value"
)
OPTION_VALUE = "must be a resolver option's value, such as 2: letters, digits, '-', '_' and '.'"
NAME = (
    "must be a DNS label of at most 52 characters: lower case letters, digits and '-', beginning and ending with a "
    "letter or digit, because it becomes a host name"
)
QUOTA_NAME = "must have at most 63 characters, because it becomes the value of a label: choose a shorter one"
QUOTA_STORAGE = "must be at least 1Mi: to admit no session set sessions to 0"
QUOTA_MEMORY = "must be at least 256Mi, the smallest session: to admit none set sessions to 0"
HOST = (
    "must be a host name or an address, such as proxy.example.com, 10.0.0.5 or fd00::5: without scheme, port and login"
)
LANGUAGE = "must be a BCP 47 language tag such as pt-BR, de or zh-Hant-TW: language, and script and region if need be"
TIME_ZONE = "must be a time zone of the IANA database such as America/Sao_Paulo, Europe/Berlin or UTC"
SECRET = (
    "must be the name of a Secret: lower case letters, digits, '-' and '.', beginning and ending with a letter or digit"
)
WEBHOOK_NAME = (
    "must be at most 40 lower case letters, digits and '-', beginning and ending with a letter or digit, and be no "
    "telephone number, because it is shown in metrics and logs"
)
WEBHOOK_URL = (
    "must be an address such as https://n8n.example.com/webhook/whatsapp or http://n8n.automation.svc:5678/webhook, without < "
    "and >, with at most 16 parameters, and without a login, whose place is the entry authorization of the webhook's Secret"
)
WEBHOOK_HOST = (
    "must not be the pod's or its node's own, such as localhost, 127.0.0.1 or 169.254.169.254, where nothing is ever sent; write "
    "an address in its usual form, such as 10.1.2.3 or [fd00::1]"
)
HEADER_NAME = "must be the name of a header: letters, digits and '-', beginning with a letter"
FREE_HEADER = "must not be a header that the runner sends itself: remove it; Authorization is the entry authorization of the webhook's Secret"
HEADER_VALUE = "must be made of printable ASCII characters but <, >, & and ', without a blank at its beginning or end"
SIGNED = "the format Standard signs each delivery: set secretName to a Secret with the entry signingSecret"
CUSTOM_PACING = "custom goes with type Custom: set both, or leave custom out"
FIVE_MINUTES = "must be at most 5m: shorten it, lower perDay, or leave it out for the default"
ONE_MINUTE = "must be at most 1m: shorten it, or leave it out for the default"
