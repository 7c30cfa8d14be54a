// What became of the notices that were posted, for GET /metrics. One for each kind of receiver; any thread.
#pragma once

#include "otpgate/base/metrics.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace otpgate {

class NoticeCounts {
public:
    // The status of the receiver's answer; 0: there was none.
    void count(int status);
    // A sample for each result, zeros too.
    void write(MetricsText& text, std::string_view receiver) const;

private:
    enum class Result { Taken, Redirected, Refused, Gone, Failed, NoAnswer };
    static constexpr std::size_t kResults = static_cast<std::size_t>(Result::NoAnswer) + 1;
    static Result resultOf(int status);
    static std::string_view nameOf(Result result);

    std::array<Counter, kResults> counters_;
};

// Of a process.
struct AllNoticeCounts {
    NoticeCounts logouts;
    NoticeCounts webhooks;

    void write(MetricsText& text) const;
};

}  // namespace otpgate
