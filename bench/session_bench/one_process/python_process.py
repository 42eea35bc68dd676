"""Many sessions in one Python process: the runner's browser, flags and driver, and nothing isolated but the profiles.

    python -m session_bench.one_process.python_process PLAN.json

Started by `host`. Writes `{"session": 0, "qr": "…"}` per QR code and ends when standard input is closed.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Playwright, async_playwright
from session_protocol.hosts import AllowedHosts
from session_runner.host.memory_tuning import settle, tune
from session_runner.page.driver import browser_environment
from session_runner.page.launch import (
    VIEWPORT_HEIGHT,
    VIEWPORT_WIDTH,
    LaunchPlan,
    shared_memory_size,
    unwanted_defaults,
)

QR = "() => document.querySelector('[data-ref]')?.getAttribute('data-ref') ?? null"


async def serve(plan: dict[str, Any]) -> None:
    """Open all sessions, print their QR codes until nobody listens, close."""
    async with async_playwright() as playwright:
        pages = await asyncio.gather(*(_open(playwright, plan, number) for number in range(plan["sessions"])))
        settle()
        shown: dict[int, str] = {}
        listening = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        while not listening.done():
            for number, page in enumerate(pages):
                await _print_code(page, number, shown)
            await asyncio.wait([listening], timeout=1)
        await asyncio.gather(*(page.context.close() for page in pages))


async def _open(playwright: Playwright, plan: dict[str, Any], number: int) -> Page:
    folder = Path(plan["folder"]) / f"session-{number}"
    launch = LaunchPlan(
        executable=Path(plan["executable"]),
        user_data=folder / "profile",
        cache_dir=folder / "cache",
        allowed_hosts=AllowedHosts.parse("*.svc"),
        user_agent=plan["userAgent"],
    )
    # The names of Services are known to pods only.
    kept = [flag for flag in launch.arguments if not flag.startswith("--host-resolver-rules=")]
    context = await playwright.chromium.launch_persistent_context(
        launch.user_data,
        executable_path=launch.executable,
        args=[*kept, f"--host-resolver-rules={plan['resolver']}"],
        ignore_default_args=unwanted_defaults(shared_memory=shared_memory_size()),
        env=dict(browser_environment()),
        viewport={"width": VIEWPORT_WIDTH, "height": VIEWPORT_HEIGHT},
        service_workers="block",
    )
    page = context.pages[0]
    await context.add_init_script(path=plan["script"])
    await page.goto(plan["url"], wait_until="commit", timeout=0)
    return page


async def _print_code(page: Page, number: int, shown: dict[int, str]) -> None:
    try:
        code = await page.evaluate(QR)
    except PlaywrightError:  # the page is loading; the next look finds it
        return
    if code is not None and code != shown.get(number):
        shown[number] = code
        print(json.dumps({"session": number, "qr": code}), flush=True)


if __name__ == "__main__":
    tune()
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text())))
