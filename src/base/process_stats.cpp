#include "otpgate/base/process_stats.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <unistd.h>

namespace otpgate {

namespace {

std::chrono::microseconds timeOf(const timeval& time) {
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
}

std::optional<std::uint64_t> countDescriptors() {
    std::error_code error;
    const std::filesystem::directory_iterator files("/proc/self/fd", error);
    if (error) return std::nullopt;
    const auto count = std::distance(begin(files), end(files));
    return static_cast<std::uint64_t>(count - 1);  // without the one that reads the folder
}

}  // namespace

ProcessStats readProcessStats() {
    ProcessStats stats;
    std::ifstream memory("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    if (memory >> size >> resident) {
        const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        stats.virtualBytes = size * page;
        stats.residentBytes = resident * page;
    }
    stats.openDescriptors = countDescriptors();
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.mostDescriptors = limit.rlim_cur;
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) == 0) stats.processorTime = timeOf(usage.ru_utime) + timeOf(usage.ru_stime);
    return stats;
}

}  // namespace otpgate
