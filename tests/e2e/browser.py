"""Starts Debian's Chromium for a test: without its window, with a profile of its own, at a given size and colour scheme."""

import contextlib
import pathlib
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

ARGUMENTS = (
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
        options.binary_location = str(pathlib.Path(__file__).parent / "headless_shell")
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


def start_anew(driver, width=1280, height=800):
    """As a browser that was just opened, in a twentieth of the time: one tab, and nothing left of what was done before."""
    old = driver.window_handles
    origin = driver.execute_script("return location.origin")
    driver.switch_to.new_window("tab")  # what is kept for a tab, and what was set for it, goes with it
    new = driver.current_window_handle
    for handle in old:
        driver.switch_to.window(handle)
        driver.close()
    driver.switch_to.window(new)
    if origin.startswith("http"):
        driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    driver.get_log("browser")
    set_size(driver, width, height)
    set_dark(driver, False)


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
