"""What otpgate is meant to reach, and whether it does."""
from measure import QUIET

CONNECTIONS = 64
_RATIOS = {"otp/request": 0.25, "otp/verify new": 0.20, "otp/verify known": 0.20}
_MEMORY_MIB = 30
_READY_MS = 100


def compare(lines, memory, ready):
    """[{"target", "measured", "met"}]"""
    verdicts = []
    for name, wanted in _RATIOS.items():
        for line in lines:
            if (line["old_rows"], line["connections"], line["workload"]) == (0, CONNECTIONS, name):
                ratio = line["ratio_to_echo"]
                noise = f" (noisy: {line['disturbed']:.0%} went to other programs)" if line["disturbed"] > QUIET else ""
                verdicts.append((f"{name} at {CONNECTIONS} connections at least {wanted:.2f} of the echo",
                                 f"{ratio:.3f}{noise}", ratio >= wanted))
    mib = memory["peak_bytes"] / 2**20
    verdicts.append((f"otpgate below {_MEMORY_MIB} MiB resident", f"{mib:.1f} MiB at the peak", mib < _MEMORY_MIB))
    answered = ready["answers_ms"]
    verdicts.append((f"ready within {_READY_MS} ms", f"{answered:.0f} ms to the first 200 of /health/ready",
                     answered <= _READY_MS))
    return [{"target": target, "measured": measured, "met": met} for target, measured, met in verdicts]
