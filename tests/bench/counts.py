"""What a run asked of the database: rows, statements and commits as MariaDB counts them, and what otpgate's own /metrics
tell where the build has them: round trips, and how many calls went together."""
import re

_TRIPS = "otpgate_database_round_trips_total"
_GROUPS = "otpgate_database_group_size_bucket"
_SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
_LE = re.compile(r'le="([^"]+)"')


def _metrics(service):
    """{"trips": ..., "groups 1": ..., "groups 2": ...}: counters over all labels; the groups are cumulative."""
    status, _, text = service.call("GET", "/metrics")
    counters = {}
    for line in text.splitlines() if status == 200 else []:
        sample = _SAMPLE.match(line)
        if not sample or sample[1] not in (_TRIPS, _GROUPS):
            continue
        le = _LE.search(sample[2] or "")
        name = "trips" if sample[1] == _TRIPS else f"groups {le[1]}"
        counters[name] = counters.get(name, 0) + float(sample[3])
    return counters


def look(service):
    return {**service.tables.books(), **_metrics(service)}


def between(before, after):
    """{"rows", "sent", "run", "commits", "trips", "groups"}, as far as they are counted; `groups` is {size at most:
    number}."""
    grown = {name: value - before.get(name, 0) for name, value in after.items()}
    counts = {name: grown[name] for name in ("sent", "run", "commits", "trips") if name in grown}
    by_table = {name.removeprefix("rows "): rows for name, rows in grown.items() if rows and name.startswith("rows ")}
    if by_table:
        counts["rows"] = sum(by_table.values())
        counts["rows_by_table"] = by_table
    cumulative = {name.removeprefix("groups "): n for name, n in grown.items() if name.startswith("groups ")}
    sizes = sorted((float(le), le) for le in cumulative)
    smaller = 0
    groups = {}
    for _, le in sizes:
        groups[le] = cumulative[le] - smaller
        smaller = cumulative[le]
    if groups:
        counts["groups"] = {le: number for le, number in groups.items() if number}
    return counts


def added(several):
    """The sum of what between() gave."""
    total = {}
    for counts in several:
        for name, value in counts.items():
            if isinstance(value, dict):
                kept = total.setdefault(name, {})
                for key, number in value.items():
                    kept[key] = kept.get(key, 0) + number
            else:
                total[name] = total.get(name, 0) + value
    return total
