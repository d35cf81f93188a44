"""The browser that the tests drive: Debian's Chromium, its headless shell if it is here, else Playwright's own."""

import shutil

from playwright.sync_api import Browser, Playwright, sync_playwright

ARGUMENTS = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright: Playwright, *arguments: str) -> Browser:
    return playwright.chromium.launch(
        executable_path=shutil.which("chromium-headless-shell") or shutil.which("chromium"),
        chromium_sandbox=False,
        args=[*ARGUMENTS, *arguments],
    )


if __name__ == "__main__":
    with sync_playwright() as playwright:
        launch(playwright).close()
