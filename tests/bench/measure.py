"""One run: load on one workload, and what it cost whom."""
import collections
import json
import os
import subprocess
import time

import counts
from processes import cpu_seconds, machine_busy_seconds
from workloads import Echo

# Of the machine. With more in other hands, processes that wait for each other suffer more than a single one does, so
# the ratios are too low.
QUIET = 0.15
PROCESSES = ("nginx", "echo", "otpgate", "mariadbd", "generator")


class Failed(Exception):
    """Something did not work; what is measured beside it means nothing."""


def wait_until_quiet(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin, busy = time.monotonic(), machine_busy_seconds()
        time.sleep(1)
        if machine_busy_seconds() - busy < QUIET * (time.monotonic() - begin) * os.cpu_count():
            return


class Generator:
    """The program that makes the load, from its start on."""

    def __init__(self, command, folder):
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def result(self):
        """What it found; it may still have work to do, until end()."""
        output = ""
        for line in self._process.stdout:
            if line.startswith("RESULT "):
                return {**json.loads(line.removeprefix("RESULT ")), "said": output}
            output += line
        raise Failed(f"{self._process.args[0]} ended without a result:\n{output}")

    def cpu_seconds(self):
        return cpu_seconds([self._process.pid])

    def end(self):
        """Its CPU seconds, all in all."""
        self._process.stdin.close()
        self._process.stdout.read()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_utime + usage.ru_stime

    def stop(self):
        """Whatever state it is in."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def measure(servers, workload, connections, seconds, run, at_most):
    service = workload.service
    servers.give_way_to(service)
    workload.prepare(run, connections, at_most)
    asked = counts.look(service)
    counted = workload.worked()
    pids = servers.pids(service)
    before = {name: cpu_seconds(list_) for name, list_ in pids.items()}
    begin, busy = time.monotonic(), machine_busy_seconds()
    generator = Generator(*workload.command(run, connections, seconds))
    try:
        result = generator.result()
        busy, elapsed = machine_busy_seconds() - busy, time.monotonic() - begin
        ours = sum(cpu_seconds(list_) - before[name] for name, list_ in pids.items()) + generator.cpu_seconds()
        # Part of the machine that went to programs which are not ours.
        result["disturbed"] = round(max(busy - ours, 0) / (elapsed * os.cpu_count()), 3)
        result.update(workload.settle())
        cpu = collections.Counter({name: cpu_seconds(list_) - before[name] for name, list_ in pids.items()})
        cpu["generator"] = generator.end()
    finally:
        generator.stop()
    worked = workload.worked() - counted
    result["asked"] = counts.between(asked, counts.look(service))
    result.update(workload=workload.name, build=service.name, connections=connections, run=run, cpu_seconds=dict(cpu))
    result["requests_per_second"] = result["requests"] / result["seconds"]
    check(result, workload, worked)
    return result


def failures(result):
    return result["bad_status"] + result["broken"] + result.get("without_mail", 0)


def check(result, workload, worked):
    what = f"{workload.name}, {result['connections']} connections, {result['build']}:"
    if failures(result):
        raise Failed(f"{what} {result['bad_status']} answers were errors, {result['broken']} connections broke,"
                     f" {result.get('without_mail', 0)} mails did not come\n{result['said']}{workload.service.complaints()}")
    # What was in flight at the end was worked for and not counted by wrk.
    requests, connections = result["requests"], result["connections"]
    if not isinstance(workload, Echo) and not requests <= worked <= requests + connections:
        raise Failed(f"{what} {requests} answers, but {worked} in the database")
    if requests == 0:
        raise Failed(f"{what} no answers")
