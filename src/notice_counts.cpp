#include "notice_counts.h"

namespace otpgate {

NoticeCounts::Result NoticeCounts::resultOf(int status) {
    constexpr int kHundred = 100;
    constexpr int kGone = 410;
    if (status == 0) return Result::NoAnswer;
    if (status == kGone) return Result::Gone;
    switch (status / kHundred) {
    case 2: return Result::Taken;
    case 3: return Result::Redirected;
    case 4: return Result::Refused;
    default: return Result::Failed;
    }
}

std::string_view NoticeCounts::nameOf(Result result) {
    switch (result) {
    case Result::Taken: return "taken";
    case Result::Redirected: return "redirected";
    case Result::Refused: return "refused";
    case Result::Gone: return "gone";
    case Result::Failed: return "failed";
    case Result::NoAnswer: return "no_answer";
    }
    return {};
}

void NoticeCounts::count(int status) {
    counters_[static_cast<std::size_t>(resultOf(status))].add();
}

void NoticeCounts::write(MetricsText& text, std::string_view receiver) const {
    for (std::size_t result = 0; result < kResults; ++result)
        text.sample(counters_[result], {{"receiver", receiver}, {"result", nameOf(static_cast<Result>(result))}});
}

void AllNoticeCounts::write(MetricsText& text) const {
    text.begin(MetricKind::Counter, "otpgate_notices_posted_total",
               "Notices that this process has posted to webhooks and applications, by what came of it: taken (2xx),"
               " redirected (3xx, which nobody follows), refused (4xx), gone (410), failed (any other status),"
               " no_answer.");
    webhooks.write(text, "webhook");
    logouts.write(text, "application");
}

}  // namespace otpgate
