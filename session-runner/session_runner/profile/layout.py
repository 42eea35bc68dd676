"""What lies where on the profile volume, and what may be thrown away.

    PROFILE_DIR/
      runner.lock       our lock (`lock`)
      runner.json       what the runner remembers (`saved_state`)
      chromium/         the browser's user data: the login is in Default/IndexedDB and Default/Local Storage

`prune` is called at every start, under the lock and before the browser: caches from an earlier browser or an earlier
layout only fill the volume. The login's two folders are in no list here, and a test keeps it so.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

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
""" Below the user data folder; each is made anew by the browser when it wants it. """


@dataclass(frozen=True)
class ProfileLayout:
    """The paths below PROFILE_DIR."""

    root: Path

    @property
    def user_data(self) -> Path:
        """The browser's folder."""
        return self.root / "chromium"

    @property
    def lock_file(self) -> Path:
        """Held by `flock`, never deleted: deleting it would let two processes hold two different files."""
        return self.root / "runner.lock"

    @property
    def state_file(self) -> Path:
        """What the runner remembers over restarts."""
        return self.root / "runner.json"


def prune(layout: ProfileLayout) -> list[str]:
    """Delete what is disposable; returns the names that were there.

    :raises OSError: on a volume that cannot be written.
    """
    found = [name for name in DISPOSABLE if (layout.user_data / name).is_dir()]
    for name in found:
        shutil.rmtree(layout.user_data / name)
    return found
