"""The browser, for all tests here."""

from __future__ import annotations

from tests.browser.chromium import browser as browser
