"""How much memory otpgate holds: when it is ready, with a thousand connections that rest, after very many logins."""
import errno
import http.client
import socket

from measure import Failed, measure

_CONNECTIONS = 1000
_SECONDS = 10
_LOGIN_CONNECTIONS = 32
_REPORTS = 10


def _kept_clients(service):
    """Connections to nginx that have asked once and are kept. The shipped nginx keeps none of its own to otpgate."""
    clients = []
    for _ in range(_CONNECTIONS):
        client = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
        client.request("GET", "/health/ready")
        answer = client.getresponse()
        answer.read()
        if answer.status != 200:
            raise Failed(f"/health/ready: {answer.status} with {len(clients)} connections")
        clients.append(client)
    return clients


def _silent_connections(service):
    """What an nginx with kept connections, or a broken one, would hold of the FastCGI socket: as many as it takes."""
    silent = []
    for _ in range(_CONNECTIONS):
        one = socket.socket(socket.AF_UNIX)
        one.setblocking(False)
        try:
            one.connect(str(service.socket))
        except OSError as error:
            one.close()
            if error.errno != errno.EAGAIN:
                raise
            break  # its queue is full
        silent.append(one)
    return silent


def measure_memory(servers, make_login, logins, first_run):
    """`make_login`: service -> the whole login. One line for each build."""
    lines = []
    for service in servers.services:
        service.start_with_mail()
        servers.give_way_to(service)
        line = {"build": service.name, "ready_bytes": service.memory_bytes(), "after": []}
        clients = _kept_clients(service)
        line["clients"] = {"connections": len(clients), "bytes": service.memory_bytes()}
        for client in clients:
            client.close()
        silent = _silent_connections(service)
        line["silent"] = {"connections": len(silent), "bytes": service.memory_bytes()}
        for one in silent:
            one.close()
        if service.call("GET", "/health/ready")[0] != 200:
            raise Failed("otpgate does not answer after silent connections were closed")
        workload = make_login(service)
        done = 0
        while done < logins:
            at_most = workload.at_most(_LOGIN_CONNECTIONS, _SECONDS)
            first_run += 1
            done += measure(servers, workload, _LOGIN_CONNECTIONS, _SECONDS, first_run, at_most)["requests"]
            if done >= logins * (len(line["after"]) + 1) / _REPORTS or done >= logins:
                line["after"].append({"logins": done, "bytes": service.memory_bytes()})
                print(".", end="", flush=True)
        line["peak_bytes"] = service.peak_memory_bytes()
        lines.append(line)
        service.stop()
    print()
    return lines


def print_memory(lines):
    def mib(size):
        return f"{size / 2**20:.1f} MiB"

    for line in lines:
        print(f"{line['build']}: {mib(line['ready_bytes'])} resident when ready, {mib(line['clients']['bytes'])} with"
              f" {line['clients']['connections']} kept connections to nginx, {mib(line['silent']['bytes'])} with"
              f" {line['silent']['connections']} silent ones to the FastCGI socket")
        print("  after " + ", ".join(f"{after['logins']} logins {mib(after['bytes'])}" for after in line["after"])
              + f"; {mib(line['peak_bytes'])} at the peak")
