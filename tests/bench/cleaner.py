"""What the cleaner takes from those who log in: runs while it deletes old rows, against runs while there is nothing to
delete."""
import statistics
import time

import old_rows
from measure import Failed, measure
from report import summarize

# The cleaner deletes 500 of a table at a time with 50 ms between, so this is more than it can do.
_ROWS_PER_SECOND = 12_000
_HOUR_MS = 3_600_000


def _bound():
    """A moment that lies after all that was made too old, and before whatever is kept."""
    return int(time.time() * 1000) - 48 * _HOUR_MS


def _left(service):
    # Codes have the least of time, so no other bound is needed for them.
    return old_rows.left_beyond(service, "otp_requests", _bound())


def _run(servers, service, workload, connections, seconds, run, rows):
    """The cleaner begins when otpgate starts, so each run has a start of its own."""
    servers.give_way_to(service)
    service.stop()
    if rows:
        old_rows.fill(servers, service, rows, old_rows.CLEANED, beyond=True)
        old_rows.settle(servers)
    service.start_with_mail()
    begin, before = time.monotonic(), _left(service)
    result = measure(servers, workload, connections, seconds, run, 30_000 * seconds)
    left = _left(service)
    result["deleted_per_second"] = round((before - left) / (time.monotonic() - begin) * len(old_rows.CLEANED))
    result["workload"] += " while rows are deleted" if rows else ""
    if rows and left == 0:
        raise Failed("the cleaner was ready before the run was over: nothing was compared")
    end = time.monotonic() + 600
    while _left(service) and time.monotonic() < end:
        time.sleep(0.5)
    return result


def measure_cleaner(servers, workloads, connections, rounds, seconds, first_run):
    """`workloads`: one for each build. Runs without and with, in turn."""
    results = []
    for _ in range(rounds):
        for workload in workloads:
            for rows in (0, _ROWS_PER_SECOND * seconds):
                run = first_run + len(results)
                results.append(_run(servers, workload.service, workload, connections, seconds, run, rows))
                print(".", end="", flush=True)
    print()
    lines = summarize(results)
    for line in lines:
        line["deleted_per_second"] = statistics.median(
            result["deleted_per_second"] for result in results
            if (result["workload"], result["build"]) == (line["workload"], line["build"]))
    return lines


def print_cleaner(lines):
    for line in lines:
        cpu = line["cpu_us_per_request"]
        deleted = f", {line['deleted_per_second']:.0f} rows deleted a second" if line["deleted_per_second"] else ""
        print(f"{line['build']}, {line['connections']} connections, {line['workload']}:"
              f" {line['requests_per_second']:.0f}/s, p50 {line['p50_us'] / 1000:.2f} ms,"
              f" p99 {line['p99_us'] / 1000:.2f} ms, CPU us otpgate {cpu['otpgate']:.0f}, mariadbd {cpu['mariadbd']:.0f}{deleted}")
