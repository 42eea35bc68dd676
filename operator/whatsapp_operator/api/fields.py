"""The types of fields: each is a Python value, its text in a manifest, and what the schema demands of that text.

Models use these in annotations. A type brings its own rules, with texts that say what to do, so that a field of it
needs no more than a docstring.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from session_protocol import durations, quantities, times

from whatsapp_operator.api.rules import Rule, validations


def _quantity_schema(*, at_least: str, otherwise: str, at_most: str | None = None) -> WithJsonSchema:
    """A text or a whole number, held to its form and to a smallest and a largest amount; `otherwise` is the text for others."""
    is_one = "isQuantity(string(self))"
    form = Rule(is_one, "must be a quantity such as 384Mi, 1Gi, 500m or 2")
    above = f"quantity(string(self)).compareTo(quantity('{at_least}')) >= 0"
    below = "" if at_most is None else f" && quantity(string(self)).compareTo(quantity('{at_most}')) <= 0"
    floor = Rule(f"!{is_one} || {above}" if at_most is None else f"!{is_one} || ({above}{below})", otherwise)
    return WithJsonSchema(
        {"x-kubernetes-int-or-string": True, "maxLength": 32, **validations(form, floor)}, mode="validation"
    )


_Quantity = Annotated[
    Decimal, BeforeValidator(quantities.parse_quantity), PlainSerializer(quantities.format_quantity, return_type=str)
]

Cpu = Annotated[
    _Quantity,
    _quantity_schema(
        at_least="1m", otherwise="must be at least 1m, a thousandth of a CPU; leave it out for the default"
    ),
]
""" CPUs. """
Memory = Annotated[
    _Quantity,
    _quantity_schema(at_least="1Mi", otherwise="must be at least 1Mi: write 384Mi for 384 mebibytes, or leave it out"),
]
""" Bytes. """
SessionMemory = Annotated[
    _Quantity,
    _quantity_schema(
        at_least="256Mi", otherwise="must be at least 256Mi, less does not hold a browser: raise it or leave it out"
    ),
]
""" Bytes, enough for one session. """
FileSize = Annotated[
    _Quantity,
    _quantity_schema(
        at_least="1Ki",
        at_most="100Mi",
        otherwise="must be from 1Ki to 100Mi: write 64Mi for 64 mebibytes, or leave it out",
    ),
]
""" Bytes of a file. """
QuotaMemory = Annotated[
    _Quantity,
    _quantity_schema(
        at_least="256Mi", otherwise="must be at least 256Mi, the smallest session: to admit none set sessions to 0"
    ),
]
""" Bytes, for the sessions of a quota together. """
VolumeSize = Annotated[
    _Quantity,
    _quantity_schema(at_least="1Mi", otherwise="must be at least 1Mi: write 2Gi for 2 gibibytes, or leave it out"),
]
""" Bytes, of a volume. """
QuotaStorage = Annotated[
    _Quantity,
    _quantity_schema(at_least="1Mi", otherwise="must be at least 1Mi: to admit no session set sessions to 0"),
]
""" Bytes, for the volume claims of a quota together. """
EphemeralStorage = Annotated[
    _Quantity,
    _quantity_schema(at_least="1Mi", otherwise="must be at least 1Mi: write 128Mi for 128 mebibytes, or leave it out"),
]
""" Bytes, on the disk of the pod's node. """
SessionEphemeralStorage = Annotated[
    _Quantity,
    _quantity_schema(
        at_least="256Mi",
        otherwise="must be at least 256Mi, less does not hold a browser's caches: raise it or leave it out",
    ),
]
""" Bytes, enough for one session. """
StoredMemory = Annotated[_Quantity, WithJsonSchema({"x-kubernetes-int-or-string": True}, mode="validation")]
""" Bytes, in status. """
StoredStorage = StoredMemory
""" Bytes, in status. """


DURATION_FORM: Final = Rule(
    f"self.matches('{durations.DURATION_PATTERN}')",
    "must be a duration of whole numbers with units, such as 30s, 5m or 1h30m",
)


def _duration_schema(*, at_least: str, too_short: str, at_most: str, too_long: str) -> WithJsonSchema:
    """A text of the durations' form and within the bounds; the two texts are the messages for values outside."""
    # A text that is no duration has its own rule and text; the others pass it, because they could not compute with it.
    sound = f"!({DURATION_FORM.expression}) || duration(self)"
    shortest = Rule(f"{sound} >= duration('{at_least}')", too_short)
    longest = Rule(f"{sound} <= duration('{at_most}')", too_long)
    return WithJsonSchema(
        {"type": "string", "maxLength": 32, **validations(DURATION_FORM, shortest, longest)}, mode="validation"
    )


_Duration = Annotated[
    timedelta,
    BeforeValidator(durations.parse_duration),
    PlainSerializer(durations.format_duration, return_type=str),
]
_A_SECOND: Final = "must be at least 1s: write 30s for 30 seconds, or leave it out for the default"
""" Less is never meant: a number with the wrong unit, or a nought that should turn something off. """
_A_DAY: Final = "must be at most 24h: shorten it, or leave it out for the default"
Duration = Annotated[_Duration, _duration_schema(at_least="1s", too_short=_A_SECOND, at_most="24h", too_long=_A_DAY)]
Delay = Annotated[
    _Duration,
    _duration_schema(
        at_least="1s",
        too_short=_A_SECOND,
        at_most="5m",
        too_long="must be at most 5m, the longest delay between two attempts: shorten it, or leave it out for the default",
    ),
]
""" Between two attempts. """
ContactInterval = Annotated[
    _Duration,
    _duration_schema(
        at_least="1s",
        too_short=_A_SECOND,
        at_most="5m",
        too_long="must be at most 5m: shorten it, lower perDay, or leave it out for the default",
    ),
]
""" Between two people who are written to first. """
MessageInterval = Annotated[
    _Duration,
    _duration_schema(
        at_least="1s",
        too_short=_A_SECOND,
        at_most="1m",
        too_long="must be at most 1m: shorten it, or leave it out for the default",
    ),
]
""" Between two messages. """
AnswerTime = Annotated[
    _Duration,
    _duration_schema(
        at_least="3s",
        too_short="must be at least 3s, which one answer may take on a busy node: raise it, or leave it out for the default",
        at_most="24h",
        too_long=_A_DAY,
    ),
]
""" For a page to answer; the runner takes no less. """
Time = Annotated[
    AwareDatetime,
    AfterValidator(times.whole_seconds),
    PlainSerializer(times.format_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation"),
]
Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1, json_schema_extra={"format": "int32"})]
Count = Annotated[int, Field(ge=0, le=2**31 - 1, json_schema_extra={"format": "int32"})]
Int64 = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]
