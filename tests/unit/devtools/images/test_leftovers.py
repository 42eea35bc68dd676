"""Containers of builds that were cut off: removed by whoever uses the storage alone, and never beside somebody else."""

from pathlib import Path

import pytest
from session_devtools.images.leftovers import in_use


class Removals:
    """Counts them."""

    count = 0

    def remove(self) -> None:
        """Remove what is left."""
        self.count += 1


def test_what_an_earlier_build_left_is_removed_first(tmp_path: Path) -> None:
    """Also into a storage that is not there yet."""
    removals = Removals()

    with in_use(tmp_path / "images" / "lock", remove=removals.remove):
        assert 1 == removals.count
    assert 1 == removals.count


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_what_a_build_leaves_that_is_cut_off_is_removed_at_once(error: type[BaseException], tmp_path: Path) -> None:
    """Ctrl-C leaves no mount."""
    removals = Removals()

    with pytest.raises(error), in_use(tmp_path / "lock", remove=removals.remove):
        raise error
    assert 2 == removals.count


def test_nothing_is_removed_beside_another_build(tmp_path: Path) -> None:
    """Neither at the begin nor after a failure: the other one's containers are in use."""
    lock, removals = tmp_path / "lock", Removals()

    with in_use(lock, remove=Removals().remove):
        with pytest.raises(RuntimeError), in_use(lock, remove=removals.remove):
            raise RuntimeError
        with in_use(lock, remove=removals.remove):
            pass
    assert 0 == removals.count


def test_two_may_build_at_once(tmp_path: Path) -> None:
    """The images are built side by side."""
    lock, removals = tmp_path / "lock", Removals()

    with in_use(lock, remove=removals.remove), in_use(lock, remove=removals.remove):
        assert 1 == removals.count
