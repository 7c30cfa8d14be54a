"""The order of the runs of one number of connections: beside the echo, or two builds in turn."""
import statistics

from measure import measure, wait_until_quiet
from workloads import Echo, WholeLogin


def _most(workload, echo_rate, connections, seconds):
    """More than can be needed: nothing else comes near the echo."""
    if isinstance(workload, WholeLogin):
        return workload.at_most(connections, seconds)
    return int(echo_rate * seconds * 0.7) + 200


def beside_echo(servers, workloads, connections, rounds, seconds, first_run, patience):
    """The last run is an echo, as the first is."""
    sequence = [workload for _ in range(rounds) for workload in workloads] + [workloads[0]]
    results = []
    echo_rate = 0
    for run, workload in enumerate(sequence, first_run):
        if isinstance(workload, Echo):
            wait_until_quiet(patience)
        at_most = _most(workload, echo_rate, connections, seconds)
        result = measure(servers, workload, connections, seconds, run, at_most)
        if isinstance(workload, Echo):
            echo_rate = result["requests_per_second"]
        results.append(result)
        print(".", end="", flush=True)
    for i, result in enumerate(results):
        if result["workload"] == Echo.name:
            continue
        before = next(other for other in reversed(results[:i]) if other["workload"] == Echo.name)
        after = next(other for other in results[i:] if other["workload"] == Echo.name)
        neighbours = statistics.mean(echo["requests_per_second"] for echo in (before, after))
        result["ratio_to_echo"] = result["requests_per_second"] / neighbours
        result["disturbed"] = max(result["disturbed"], before["disturbed"], after["disturbed"])
    return results


def in_turn(servers, echo, twins, connections, rounds, seconds, first_run, patience):
    """`twins`: of each workload one for each build, which run one after the other; a single one is measured alone."""
    results = []
    echo_rate = 0
    if any(not isinstance(twin[0], WholeLogin) for twin in twins):
        echo_rate = measure(servers, echo, connections, 1, first_run, 0)["requests_per_second"]
    for round_ in range(rounds):
        for twin in twins:
            wait_until_quiet(patience)
            pair = []
            for workload in twin:
                at_most = _most(workload, echo_rate, connections, seconds)
                run = first_run + len(results) + len(pair)
                pair.append(measure(servers, workload, connections, seconds, run, at_most))
                print(".", end="", flush=True)
            for result in pair:
                result["round"] = round_
                result["disturbed"] = max(one["disturbed"] for one in pair)
            results += pair
    return results
