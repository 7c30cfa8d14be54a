"""Signals that mean something to other services end no process of this one; what SIGHUP does is in test_lifecycle.py."""
import signal

from support import ports

HARMLESS = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]


def assert_survives(process, log):
    for number in HARMLESS:
        process.signal(number)
        ports.wait_until(lambda number=number: f"signal={int(number)}" in log(), 5, f"a line about {number.name}")
    assert process.is_running()


def test_serve_answers_on(make_site):
    site = make_site("sqlite")
    assert_survives(site.otpgate.process, site.otpgate.log)
    assert site.get("/health/live").status_code == 200
    assert site.otpgate.stop() == 0


def test_deliver_goes_on(make_site):
    site = make_site("sqlite", delivery_mode="outbox")
    deliverer = site.otpgate.deliverer().start()
    assert_survives(deliverer.process, deliverer.log)
    assert deliverer.stop() == 0
