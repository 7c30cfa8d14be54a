// Sliding windows: a bucket keeps the last N times that something was accepted; one more is accepted while for each
// window the count-th last of them is older than the window. Exact, however many ask at once.
#pragma once

#include "otpgate/base/clock.h"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

struct LimitWindow {
    unsigned count = 0;
    std::chrono::seconds window{0};
    bool operator==(const LimitWindow&) const = default;
};

// Up to two windows that all must hold; none: no limit.
class LimitRule {
public:
    LimitRule() = default;
    explicit LimitRule(std::vector<LimitWindow> windows);

    // "5/1h" or "10/1h,20/1d"; "0" is no limit. Nullopt for anything else, more than two windows, or a count above
    // 1000.
    static std::optional<LimitRule> parse(std::string_view text);

    const std::vector<LimitWindow>& windows() const { return windows_; }
    bool isUnlimited() const { return windows_.empty(); }
    // How many times a bucket keeps: the largest count.
    unsigned capacity() const;
    // When the last time that a bucket keeps ceases to matter.
    std::chrono::seconds longest() const;

private:
    std::vector<LimitWindow> windows_;
};

// How a bucket stands after it was asked.
struct LimitState {
    LimitWindow window;             // the one that is nearest to its end
    unsigned remaining = 0;         // what is left of it
    std::chrono::seconds reset{0};  // until one more is free; rounded up
};

// 8 bytes, big-endian: times in this form compare like the times themselves. What is before 1970 is 1970.
std::string packTime(Timestamp time);

// The packed times of a bucket, newest first, 8 bytes big-endian each: what the column rate_limits.hits holds.
class LimitHits {
public:
    explicit LimitHits(std::string packed) : packed_(std::move(packed)) {}

    bool accepts(const LimitRule& rule, Timestamp now) const;
    // The packed times with `now` in front, cut to `capacity` of them.
    std::string with(unsigned capacity, Timestamp now) const;
    // Without the one that was accepted at this time, where it is still there.
    std::string without(Timestamp accepted) const;
    LimitState state(const LimitRule& rule, Timestamp now) const;
    std::optional<Timestamp> last() const;
    const std::string& packed() const { return packed_; }

private:
    std::size_t size() const { return packed_.size() / 8; }
    Timestamp at(std::size_t index) const;
    std::string packed_;
};

// A bucket as a transaction holds it: read, asked, perhaps changed, written back. What a limit grants is decided here.
class Bucket {
public:
    Bucket() : hits_("") {}  // one that has never been asked
    Bucket(std::string hits, Timestamp expiresAt, Timestamp refusedAt, unsigned failures = 0)
        : hits_(std::move(hits)),
          expiresAt_(expiresAt),
          refusedAt_(refusedAt),
          failures_(failures) {}

    bool accepts(const LimitRule& rule, Timestamp now) const { return hits_.accepts(rule, now); }
    // Counts, where it accepts.
    bool take(const LimitRule& rule, Timestamp now);
    // The same of a bucket that remembers its last time even without a limit, for `memory`.
    bool takeAndRemember(const LimitRule& rule, Timestamp now, std::chrono::seconds memory);
    // What was counted at this time is forgotten.
    void giveBack(Timestamp counted);
    // Whether the audit trail is to be told of a refusal: once a minute a bucket, so that a flood of refused requests
    // does not fill the disk.
    bool noteRefusal(Timestamp now);
    // Wrong guesses in a row: counted besides the places of the limit, without a window, until a success. One that is
    // taken back was none. They are forgotten a year after the last of them.
    static constexpr std::chrono::days kFailureMemory{365};
    void fail(Timestamp now);
    void takeBackFailure();
    // `memory`: how long the bucket's places matter.
    void succeed(Timestamp now, std::chrono::seconds memory);
    unsigned failures() const { return failures_; }
    // Of a bucket of requests: those of the guesses of its lane, see LaneFailures.
    void noteFailures(unsigned failures, Timestamp now);
    // When something was accepted last.
    std::optional<Timestamp> last() const { return hits_.last(); }

    const std::string& hits() const { return hits_.packed(); }
    Timestamp expiresAt() const { return expiresAt_; }
    Timestamp refusedAt() const { return refusedAt_; }

private:
    LimitHits hits_;
    Timestamp expiresAt_;
    Timestamp refusedAt_;
    unsigned failures_ = 0;
};

// A bucket that is asked, and the rule that it is held to.
struct Meter {
    Bucket* bucket = nullptr;
    const LimitRule* rule = nullptr;
};
// Counts in all of them, or in none: then in which of them there is no place. Buckets without a limit count nothing.
std::optional<std::size_t> takeAll(std::span<const Meter> meters, Timestamp now);

// The 16 bytes under which a bucket is stored: SHA-256 of kind and subject, cut. No address stands in the table.
std::string limitBucket(std::string_view kind, std::string_view subject);

}  // namespace otpgate::domain
