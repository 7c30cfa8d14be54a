"""From runs to lines of tables: medians of the runs, and CPU over all of them."""
import statistics

import counts
from measure import PROCESSES, QUIET, failures
from workloads import Echo


def _key(result):
    return result.get("old_rows", 0), result["connections"], result["workload"]


def _chosen(results):
    """Only the runs in which the machine was ours, where each workload of a number of connections has such runs."""
    kept = []
    for level in dict.fromkeys(_key(result)[:2] for result in results):
        same = [result for result in results if _key(result)[:2] == level]
        quiet = [result for result in same if result["disturbed"] <= QUIET]
        kinds = {(result["workload"], result["build"]) for result in same}
        kept += quiet if kinds == {(result["workload"], result["build"]) for result in quiet} else same
    return kept


def summarize(results):
    """One line for each amount of old rows, number of connections, workload and build."""
    chosen = _chosen(results)
    return [
        _line([result for result in chosen if (*_key(result), result["build"]) == key])
        for key in dict.fromkeys((*_key(result), result["build"]) for result in chosen)
    ]


def _line(same):
    requests = sum(result["requests"] for result in same)

    def median(field):
        return statistics.median(result[field] for result in same)

    first = same[0]
    line = {
        "old_rows": first.get("old_rows", 0),
        "connections": first["connections"],
        "workload": first["workload"],
        "build": first["build"],
        "runs": len(same),
        "requests": requests,
        "requests_per_second": round(median("requests_per_second"), 1),
        "cpu_us_per_request": {
            process: round(1e6 * sum(result["cpu_seconds"].get(process, 0) for result in same) / requests, 1)
            for process in PROCESSES
        },
        "disturbed": median("disturbed"),
        "failed": sum(failures(result) for result in same),
        "asked_per_request": _asked(same, requests),
    }
    line.update({field: median(field) for field in first if field.endswith("_us")})
    for field in ("ratio_to_echo", "drain_seconds", "unsent_at_end"):
        if field in first:
            line[field] = round(median(field), 3)
    return line


def _asked(same, requests):
    """Of each request, what counts.between() tells; of the groups the share of each size."""
    asked = counts.added(result["asked"] for result in same)
    groups = asked.pop("groups", {})
    tables = asked.pop("rows_by_table", {})
    per_request = {name: round(value / requests, 2) for name, value in asked.items()}
    if tables:
        per_request["rows_by_table"] = {name: round(rows / requests, 2) for name, rows in tables.items()}
    if groups:
        per_request["groups"] = {size: round(number / sum(groups.values()), 3) for size, number in groups.items()}
    return per_request


def pairs(results):
    """One line for each amount of old rows, number of connections and workload: this build by the other."""
    chosen = _chosen(results)
    lines = {(*_key(line), line["build"]): line for line in summarize(results)}
    compared = []
    for key in dict.fromkeys(map(_key, chosen)):
        ours, theirs = ({result["round"]: result["requests_per_second"] for result in chosen
                         if _key(result) == key and result["build"] == build} for build in ("otpgate", "baseline"))
        ratios = [ours[round_] / theirs[round_] for round_ in ours if round_ in theirs]
        line, other = (lines[*key, build] for build in ("otpgate", "baseline"))
        cpu = {}
        for process in ("otpgate", "mariadbd"):
            mine, its = (one["cpu_us_per_request"][process] for one in (line, other))
            cpu[process] = {"us": mine, "baseline_us": its, "ratio": round(mine / its, 3) if its else None}
        compared.append({
            "old_rows": key[0], "connections": key[1], "workload": key[2],
            "requests_per_second": line["requests_per_second"],
            "baseline_per_second": other["requests_per_second"],
            "ratio": {"median": round(statistics.median(ratios), 3), "lowest": round(min(ratios), 3),
                      "highest": round(max(ratios), 3), "pairs": len(ratios)},
            "p99_us": line["p99_us"], "baseline_p99_us": other["p99_us"],
            "cpu": cpu,
            "disturbed": max(line["disturbed"], other["disturbed"]),
        })
    return compared


def _print_rows(form, head, rows):
    """`rows`: (what is set apart by an empty line, cells)"""
    print(form.format(*head))
    last = None
    for group, cells in rows:
        if last not in (None, group):
            print()
        last = group
        print(form.format(*cells).rstrip())


def _ms(microseconds):
    return f"{microseconds / 1000:.2f}"


def print_rates(lines):
    head = ("conns", "what", "a second", "of echo", "p50 ms", "p99 ms", "|", *PROCESSES, "|", "failed")
    form = "{:>5}  {:<16} {:>8} {:>8} {:>8} {:>8} {:>2} {:>8} {:>8} {:>8} {:>8} {:>9} {:>2} {:>6}"
    print(f"\n{'':59}CPU microseconds a request, or a login")
    _print_rows(form, head, ((line["connections"], (
        line["connections"], line["workload"], f"{line['requests_per_second']:.0f}",
        f"{line['ratio_to_echo']:.3f}" if "ratio_to_echo" in line else "", _ms(line["p50_us"]), _ms(line["p99_us"]), "|",
        *(f"{line['cpu_us_per_request'][name]:.0f}" for name in PROCESSES), "|", line["failed"],
    )) for line in lines))
    print_noise(lines)
    for line in lines:
        if line.get("unsent_at_end"):
            print(f"at {line['connections']} connections {line['unsent_at_end']:.0f} messages were unsent when"
                  f" {line['workload']} ended; {line['drain_seconds']:.2f} s later none")


def print_noise(lines):
    disturbed = max((line["disturbed"] for line in lines), default=0)
    if disturbed > QUIET:
        print(f"NOISY: up to {disturbed:.0%} of the machine went to other programs: the figures are too low")


def print_pairs(compared):
    head = ("conns", "what", "this/s", "other/s", "ratio", "of pairs", "|", "p99 ms", "other", "|",
            "otpgate", "other", "ratio", "|", "mariadbd", "other", "ratio")
    form = ("{:>5}  {:<16} {:>7} {:>7} {:>6} {:>12} {:>2} {:>7} {:>7} {:>2} {:>8} {:>7} {:>6} {:>2} {:>8} {:>7} {:>6}")
    print(f"\nthis build by the other one{'':50}CPU microseconds a request, or a login")

    def cells(line):
        ratio = line["ratio"]
        spread = f"{ratio['lowest']:.2f}..{ratio['highest']:.2f}"
        cpu = []
        for part in line["cpu"].values():
            cpu += ["|", f"{part['us']:.0f}", f"{part['baseline_us']:.0f}", f"{part['ratio']:.2f}" if part["ratio"] else "-"]
        return (line["connections"], line["workload"], f"{line['requests_per_second']:.0f}",
                f"{line['baseline_per_second']:.0f}", f"{ratio['median']:.2f}", spread, "|",
                _ms(line["p99_us"]), _ms(line["baseline_p99_us"]), *cpu)

    _print_rows(form, head, ((line["connections"], cells(line)) for line in compared))
    print_noise(compared)


def print_asked(lines):
    """What each request asked of the database, where anything counts it."""
    lines = [line for line in lines if line["asked_per_request"] and line["workload"] != Echo.name]
    if not lines:
        return
    head = ("conns", "what", "build", "rows", "sent", "run", "commits", "trips", "groups of 1, 2, up to 4, 8, 16, 32 calls")
    form = "{:>5}  {:<16} {:<9} {:>6} {:>6} {:>6} {:>8} {:>6}  {}"
    print("\nof the database, for each request or login: rows written, statements sent and run, commits, round trips")

    def cells(line):
        asked = line["asked_per_request"]
        numbers = [f"{asked[name]:.2f}" if name in asked else "-" for name in ("rows", "sent", "run", "commits", "trips")]
        groups = "  ".join(f"{size}: {share:.0%}" for size, share in asked.get("groups", {}).items())
        return line["connections"], line["workload"], line["build"], *numbers, groups or "-"

    _print_rows(form, head, ((line["connections"], cells(line)) for line in lines))
