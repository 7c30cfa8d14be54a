// A clock that stands still until a test moves it.
#pragma once

#include "otpgate/base/clock.h"

#include <atomic>

namespace otpgate::test {

class FakeClock final : public Clock {
public:
    // 2026-11-20T05:12:00Z, where a test does not care.
    explicit FakeClock(Timestamp start = Timestamp{std::chrono::seconds{1'795'151'520}})
        : microseconds_(toMicroseconds(start)) {}

    Timestamp now() const override { return fromMicroseconds(microseconds_.load()); }
    void set(Timestamp time) { microseconds_ = toMicroseconds(time); }
    void advance(std::chrono::microseconds by) { microseconds_ += by.count(); }

private:
    std::atomic<std::int64_t> microseconds_;
};

}  // namespace otpgate::test
