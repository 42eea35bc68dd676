"""Values: what is stored, reported and handed on. They are structs of msgspec, those with secrets `Private`.

A dataclass has its methods written and compiled when it is defined, at each start of a session: 0.4 ms of a processor and
12 kB, ninety times. A struct brings its methods along. What lives and changes, such as a service, is a dataclass or a class.
"""

from typing import ClassVar

from msgspec import Struct


class Private(Struct, frozen=True):
    """A value with fields that no log may show."""

    hidden: ClassVar[tuple[str, ...]] = ()
    """ The fields that its text leaves out. """

    def __repr__(self) -> str:
        """Return its class and the fields that anybody may see."""
        shown = (name for name in self.__struct_fields__ if name not in self.hidden)
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"
