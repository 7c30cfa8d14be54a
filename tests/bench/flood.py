"""Many requests for codes from one client's address, whose limit is off, against as many from many addresses; and what
somebody else's requests, one at a time, take meanwhile."""
import statistics

from measure import Generator, failures, Failed
from workloads import OtpRequest


class OneClient(OtpRequest):
    name = "one address"
    client = "192.0.2.7"


class SomebodyElse(OtpRequest):
    name = "somebody else"
    client = "198.51.100.1"


def _load(service, workloads, seconds, first_run):
    """The results of loads at the same time: [(workload, connections)]"""
    generators = []
    try:
        for run, (workload, connections) in enumerate(workloads, first_run):
            generators.append(Generator(*workload.command(run, connections, seconds)))
        results = [generator.result() for generator in generators]
        for generator in generators:
            generator.end()
    finally:
        for generator in generators:
            generator.stop()
    workloads[0][0].settle()
    for result in results:
        if failures(result):
            raise Failed(f"the flood: {failures(result)} requests failed\n{result['said']}{service.complaints()}")
    return results


def measure_flood(servers, make, connections, rounds, seconds, first_run):
    """`make`: (kind of workload, service) -> workload. One line for each build."""
    for service in servers.services:
        service.start(limits__request_per_client="0", limits__passwords_per_client="0")
    runs = {service: [] for service in servers.services}
    for _ in range(rounds):
        for service in servers.services:
            servers.give_way_to(service)
            many, one, other = (make(kind, service) for kind in (OtpRequest, OneClient, SomebodyElse))
            found = {}
            loads = {"many": [(many, connections)], "one": [(one, connections)], "alone": [(other, 1)],
                     "beside_many": [(other, 1), (many, connections)], "beside_one": [(other, 1), (one, connections)]}
            for name, load in loads.items():
                found[name] = _load(service, load, seconds, first_run)
                first_run += 2
                print(".", end="", flush=True)
            runs[service].append(found)
    print()
    return [_line(service.name, connections, runs[service]) for service in servers.services]


def _line(build, connections, runs):
    def rates(name):
        return [run[name][0]["requests"] / run[name][0]["seconds"] for run in runs]

    def times(name):
        return {field: statistics.median(run[name][0][field] for run in runs) for field in ("p50_us", "p99_us")}

    many, one = rates("many"), rates("one")
    return {"build": build, "connections": connections, "many_per_second": round(statistics.median(many), 1),
            "one_per_second": round(statistics.median(one), 1),
            "ratio": round(statistics.median(mine / theirs for mine, theirs in zip(one, many)), 3),
            **{name: times(name) for name in ("alone", "beside_many", "beside_one")}}


def print_flood(lines):
    for line in lines:
        print(f"\n{line['build']}, {line['connections']} connections ask for codes:"
              f"\n  {line['many_per_second']:.0f}/s from many addresses, {line['one_per_second']:.0f}/s from one"
              f" (ratio {line['ratio']:.2f})")
        for name, what in (("alone", "alone"), ("beside_many", "beside those from many addresses"),
                           ("beside_one", "beside those from one address")):
            times = line[name]
            print(f"  somebody else's requests, one at a time, {what}:"
                  f" p50 {times['p50_us'] / 1000:.2f} ms, p99 {times['p99_us'] / 1000:.2f} ms")
