"""Free ports and waiting for them."""
import os
import random
import socket
import time


# Below those that the kernel gives to outgoing connections (from 32768): what is free here stays so until it is used. Each
# process of the tests has a part of its own, and draws none twice: between the drawing and the listening nobody holds a port.
_PORTS = range(12000, 32000)
_PARTS = 16
_drawn = set()


def _own_ports():
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw15").removeprefix("gw"))
    size = len(_PORTS) // _PARTS
    return _PORTS[worker % _PARTS * size:][:size]


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on."""
    own = _own_ports()
    if len(_drawn) > len(own) // 2:
        _drawn.clear()
    while True:
        port = random.choice(own)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _drawn:
            _drawn.add(port)
            return port


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
