"""Opening the browser: what goes wrong in its first moments is the browser's fault, and not the runner's."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast
from unittest.mock import AsyncMock, MagicMock

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Playwright
from session_protocol.hosts import AllowedHosts
from session_runner.page.browser import Listeners, open_browser
from session_runner.page.errors import LaunchError
from session_runner.page.launch import LaunchPlan


@pytest.mark.parametrize("step", ["expose_binding", "add_init_script"])
async def test_a_browser_that_dies_as_it_is_prepared_did_not_start(step: str, tmp_path: Path) -> None:
    """A kill for want of memory may come between the launch and the first document."""
    context = MagicMock(pages=[MagicMock()], expose_binding=AsyncMock(), add_init_script=AsyncMock())
    getattr(context, step).side_effect = PlaywrightError(f"BrowserContext.{step}: Target crashed")
    chromium = SimpleNamespace(launch_persistent_context=AsyncMock(return_value=context))
    plan = LaunchPlan(
        executable=Path("/usr/bin/true"),
        user_data=tmp_path,
        cache_dir=tmp_path,
        allowed_hosts=AllowedHosts.parse("web.whatsapp.com"),
        user_agent="a browser",
    )

    with pytest.raises(LaunchError, match="Target crashed"):
        await open_browser(plan, cast("Playwright", SimpleNamespace(chromium=chromium)), cast("Listeners", MagicMock()))
