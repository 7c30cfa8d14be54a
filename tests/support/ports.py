"""Free ports and waiting for them."""
import random
import socket
import time


# Below those that the kernel gives to outgoing connections (from 32768): what is free here stays so until it is used,
# and of several test processes no two are likely to draw the same.
_PORTS = range(12000, 32000)


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def is_open(port, host="127.0.0.1"):
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def wait_until(condition, timeout, what, interval=0.02):
    """The first true value of condition(); TimeoutError that says `what` when it does not come."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {timeout} s")
        time.sleep(interval)
