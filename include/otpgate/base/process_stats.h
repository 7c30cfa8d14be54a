// What Linux knows of this process (proc(5)): for GET /metrics. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace otpgate {

// What cannot be read is left out.
struct ProcessStats {
    std::optional<std::uint64_t> residentBytes;
    std::optional<std::uint64_t> virtualBytes;
    std::optional<std::uint64_t> openDescriptors;
    std::optional<std::uint64_t> mostDescriptors;
    std::chrono::microseconds processorTime{0};  // of user and system
};

ProcessStats readProcessStats();

}  // namespace otpgate
