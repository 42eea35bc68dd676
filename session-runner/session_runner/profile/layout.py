"""Which file is where on the profile volume, and which folders may be deleted.

    PROFILE_DIR/
      runner.lock       our lock (`lock`)
      runner.json       what the runner remembers (`saved_state`)
      messages.sqlite   what was asked to be sent and what became of it (`outbox`), with two more files while it is open
      media/            the files of messages, which `messages.sqlite` lists (`media`)
      chromium/         the browser's user data: the login is in Default/IndexedDB and Default/Local Storage

`prune` is called at every start, under the lock and before the browser starts: caches of an earlier browser or layout
only fill the volume. The login's two folders are not in the list, which a test checks.
"""

import shutil
from pathlib import Path

from msgspec import Struct

DISPOSABLE = tuple(
    [
        f"Default/{name}"
        for name in (
            "Cache",
            "Code Cache",
            "GPUCache",
            "DawnGraphiteCache",
            "DawnWebGPUCache",
            "Service Worker",
            "blob_storage",
            "Shared Dictionary",
            "Sessions",
            "Session Storage",
        )
    ]
    + [
        "GPUPersistentCache",
        "GrShaderCache",
        "ShaderCache",
        "component_crx_cache",
        "extensions_crx_cache",
        "OptimizationGuideModelsManifest",
        "Safe Browsing",
        "segmentation_platform",
        "Crashpad",
    ]
)
""" Below the user data folder; the browser creates each again when it needs it. """


class ProfileLayout(Struct, frozen=True):
    """The paths below PROFILE_DIR."""

    root: Path

    @property
    def user_data(self) -> Path:
        """The browser's user data folder."""
        return self.root / "chromium"

    @property
    def lock_file(self) -> Path:
        """The file that is locked. It is never deleted, or two processes could lock two different files."""
        return self.root / "runner.lock"

    @property
    def state_file(self) -> Path:
        """The state file, which outlives the pod."""
        return self.root / "runner.json"

    @property
    def messages_file(self) -> Path:
        """The outbox."""
        return self.root / "messages.sqlite"

    @property
    def media_folder(self) -> Path:
        """The files of messages, each under its id."""
        return self.root / "media"


def prune(layout: ProfileLayout) -> list[str]:
    """Delete the disposable folders; return the names of those that existed.

    :raises OSError: the volume cannot be written.
    """
    found = [name for name in DISPOSABLE if (layout.user_data / name).is_dir()]
    for name in found:
        shutil.rmtree(layout.user_data / name)
    return found
