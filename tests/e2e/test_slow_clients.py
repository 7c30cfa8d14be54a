"""Clients that send or read slowly, a great many of one address: others do not notice."""
import http.client
import json
import os
import time

import pytest

from support.slow_clients import SlowClients

# By hand: OTPGATE_SLOW_SECONDS=60 tests/run e2e -- -k slow_clients
SECONDS = float(os.environ.get("OTPGATE_SLOW_SECONDS", 6))
OTHER = "127.0.0.2"


def ask(site, address):
    """otp/request from another client: (status, seconds)."""
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", site.web.port, timeout=30, source_address=(OTHER, 0))
    try:
        connection.request("POST", "/api/v1/auth/otp/request", json.dumps({"destination": address}),
                           {"Content-Type": "application/json", "Host": "localhost"})
        answer = connection.getresponse()
        answer.read()
        return answer.status, time.monotonic() - start
    finally:
        connection.close()


@pytest.mark.long
@pytest.mark.alone
@pytest.mark.parametrize("web", ["nginx", "apache"])
def test_200_slow_senders_and_200_slow_readers_hold_nobody_up(make_site, new_address, web):
    site = make_site("sqlite", web=web, limits_request_per_client="0", server_trusted_proxies="")
    with SlowClients(site.web.port, senders=200, readers=200) as slow:
        times = []
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            status, seconds = ask(site, new_address())
            assert status == 202
            times.append(seconds)
            time.sleep(0.02)
        assert slow.made["send"] >= 200 and slow.made["read"] >= 200

    times.sort()
    p99 = times[len(times) * 99 // 100]
    print(f"{web}: {len(times)} requests, median {times[len(times) // 2]:.3f} s, p99 {p99:.3f} s, longest {times[-1]:.3f} s")
    assert p99 < 0.5
