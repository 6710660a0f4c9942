"""A real browser for tests: Debian's Chromium without a screen, led by its own chromedriver. Nothing is downloaded.

Tests that use `browser` skip where either is missing. With the variable ``ESIPY_SCREENSHOTS`` set, `picture` puts
what the browser shows into that folder: so the pictures in docs/_static are made.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ports import free_port

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")

WAIT_SECONDS = 60.0
"""How long a page may take on a machine that has much else to do."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One browser for the tests of a module."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("there is no chromium with its chromedriver here (Debian: chromium chromium-driver)")
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (
        "--headless=new",
        "--no-sandbox",  # which root, as in CI, cannot have
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        "--hide-scrollbars",
        "--lang=en",
        "--window-size=720,1000",
        # Nobody but this machine is asked anything.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = selenium.ChromeService(executable_path=DRIVER, port=free_port())
    driver = selenium.Chrome(options=options, service=service)
    try:
        driver.set_page_load_timeout(WAIT_SECONDS)
        yield driver
    finally:
        driver.quit()


def text_of(browser: Chrome) -> str:
    """What a user reads on the page."""
    text: str = browser.find_element("tag name", "body").text
    return " ".join(text.split())


def press(browser: Chrome, decision: str) -> None:
    """Press a button of the sandbox's login page: ``approve`` or ``deny``; back when another page is there."""
    follow(browser, browser.find_element("css selector", f"button[value={decision}]"))


def follow(browser: Chrome, element: WebElement) -> None:
    """Click what leads to another page; back when that is there whole."""
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.support.wait import WebDriverWait

    browser.execute_script("window.isLeft = true")
    element.click()
    arrived = "return document.readyState === 'complete' && !window.isLeft"
    # Between two pages there is nothing that could be asked.
    WebDriverWait(browser, WAIT_SECONDS, ignored_exceptions=[WebDriverException]).until(
        lambda shown: shown.execute_script(arrived)
    )


def picture(browser: Chrome, name: str) -> None:
    """Keep the page's main part, when pictures are wanted."""
    folder = os.environ.get("ESIPY_SCREENSHOTS")
    if folder:
        browser.find_element("tag name", "main").screenshot(str(Path(folder) / f"{name}.png"))
