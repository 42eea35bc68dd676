"""What is left out while the runner's modules are imported, and is back afterwards."""

import gc
import os
import ssl
from collections.abc import Iterator

import pytest
from session_runner.host.memory_tuning import importing


@pytest.fixture(autouse=True)
def _garbage_as_before() -> Iterator[None]:
    """What is kept for good here is these tests' own affair."""
    yield
    gc.unfreeze()


def test_no_garbage_is_searched_for_while_modules_are_imported() -> None:
    """What an import makes stays for good; afterwards garbage is searched for as usual, also when the import failed."""
    with importing():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0

    with pytest.raises(ImportError), importing():
        raise ImportError
    assert gc.isenabled()


@pytest.mark.parametrize("file", [None, "/etc/somebody/ca.crt"])
def test_no_authorities_are_read_while_modules_are_imported(monkeypatch: pytest.MonkeyPatch, file: str | None) -> None:
    """A context that is made meanwhile trusts nobody; the environment is what it was afterwards."""
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    if file is not None:
        monkeypatch.setenv("SSL_CERT_FILE", file)
    before = dict(os.environ)

    with importing():
        assert 0 == ssl.create_default_context().cert_store_stats()["x509"]

    assert before == dict(os.environ)
