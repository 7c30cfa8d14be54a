"""Starts Debian's Chromium for a test: headless, with a profile of its own, at a given size and colour scheme."""

import contextlib
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # Chromium refuses its sandbox to root.
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-US",
)


@contextlib.contextmanager
def open_browser(width=1280, height=800, dark=False, arguments=()):
    """Yields a WebDriver and ends it with everything it started. Its console is read with get_log("browser")."""
    with tempfile.TemporaryDirectory(prefix="otpgate-chromium-", ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for argument in (*ARGUMENTS, *arguments):
            options.add_argument(argument)
        options.add_argument(f"--user-data-dir={profile}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        try:
            set_size(driver, width, height)
            set_dark(driver, dark)
            yield driver
        finally:
            driver.quit()


def set_size(driver, width, height):
    """Sets what the page sees; a window cannot be made as narrow as a phone."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def set_dark(driver, dark):
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def set_languages(driver, languages):
    """What the browser asks for, most wanted first: "de-AT,de"."""
    agent = driver.execute_script("return navigator.userAgent")
    driver.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": languages})
