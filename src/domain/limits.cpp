#include "otpgate/domain/limits.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/hash.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace otpgate::domain {

namespace {

constexpr unsigned kMaxCount = 1000;
constexpr std::size_t kTimeBytes = 8;

std::optional<LimitWindow> parseWindow(std::string_view text) {
    unsigned count = 0;
    const char* const end = text.data() + text.size();
    const auto [slash, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc{} || slash == end || *slash != '/' || count == 0 || count > kMaxCount) return std::nullopt;
    unsigned amount = 0;
    const auto [unit, unitError] = std::from_chars(slash + 1, end, amount);
    if (unitError != std::errc{} || unit + 1 != end || amount == 0 || amount > 100'000) return std::nullopt;
    switch (*unit) {
    case 's': return LimitWindow{count, std::chrono::seconds{amount}};
    case 'm': return LimitWindow{count, std::chrono::minutes{amount}};
    case 'h': return LimitWindow{count, std::chrono::hours{amount}};
    case 'd': return LimitWindow{count, std::chrono::days{amount}};
    default: return std::nullopt;
    }
}

}  // namespace

std::string packTime(Timestamp time) {
    return toBigEndian(static_cast<std::uint64_t>(std::max<std::int64_t>(toMicroseconds(time), 0)), kTimeBytes);
}

LimitRule::LimitRule(std::vector<LimitWindow> windows) : windows_(std::move(windows)) {
    if (windows_.size() > 2) throw std::logic_error("a limit has at most two windows");
}

std::optional<LimitRule> LimitRule::parse(std::string_view text) {
    text = trim(text);
    if (text == "0") return LimitRule{};
    std::vector<LimitWindow> windows;
    while (windows.size() < 2) {
        const auto comma = text.find(',');
        const auto window = parseWindow(trim(text.substr(0, comma)));
        if (!window) return std::nullopt;
        windows.push_back(*window);
        if (comma == std::string_view::npos) return LimitRule{std::move(windows)};
        text.remove_prefix(comma + 1);
    }
    return std::nullopt;
}

unsigned LimitRule::capacity() const {
    unsigned largest = 0;
    for (const LimitWindow& window : windows_) largest = std::max(largest, window.count);
    return largest;
}

std::chrono::seconds LimitRule::longest() const {
    std::chrono::seconds longest{0};
    for (const LimitWindow& window : windows_) longest = std::max(longest, window.window);
    return longest;
}

Timestamp LimitHits::at(std::size_t index) const {
    const auto packed = std::string_view{packed_}.substr(index * kTimeBytes, kTimeBytes);
    return fromMicroseconds(static_cast<std::int64_t>(fromBigEndian(packed)));
}

bool LimitHits::accepts(const LimitRule& rule, Timestamp now) const {
    return std::all_of(rule.windows().begin(), rule.windows().end(), [&](const LimitWindow& window) {
        return size() < window.count || at(window.count - 1) <= now - window.window;
    });
}

std::string LimitHits::with(unsigned capacity, Timestamp now) const {
    return (packTime(now) + packed_).substr(0, capacity * kTimeBytes);
}

std::optional<Timestamp> LimitHits::last() const {
    return packed_.empty() ? std::nullopt : std::optional{at(0)};
}

std::string LimitHits::without(Timestamp accepted) const {
    std::string packed = packed_;
    for (std::size_t i = 0; i < size(); ++i) {
        if (at(i) != accepted) continue;
        packed.erase(i * kTimeBytes, kTimeBytes);
        break;
    }
    return packed;
}

LimitState LimitHits::state(const LimitRule& rule, Timestamp now) const {
    LimitState nearest;
    bool isFirst = true;
    for (const LimitWindow& window : rule.windows()) {
        LimitState state{window, window.count, std::chrono::seconds{0}};
        std::size_t used = 0;
        while (used < std::min<std::size_t>(size(), window.count) && at(used) > now - window.window) ++used;
        state.remaining -= static_cast<unsigned>(used);
        if (used > 0) state.reset = std::chrono::ceil<std::chrono::seconds>(at(used - 1) + window.window - now);
        // The window that lets least through speaks; of two that let nothing through, the one that lasts longer.
        if (isFirst || state.remaining < nearest.remaining ||
            (state.remaining == nearest.remaining && state.reset > nearest.reset)) {
            nearest = state;
        }
        isFirst = false;
    }
    return nearest;
}

bool Bucket::take(const LimitRule& rule, Timestamp now) {
    return rule.isUnlimited() || takeAndRemember(rule, now, {});
}

bool Bucket::takeAndRemember(const LimitRule& rule, Timestamp now, std::chrono::seconds memory) {
    if (!accepts(rule, now)) return false;
    hits_ = LimitHits{hits_.with(std::max(rule.capacity(), 1U), now)};
    // What others count in it may be remembered for longer.
    expiresAt_ = std::max(expiresAt_, now + std::max(rule.longest(), memory));
    return true;
}

void Bucket::giveBack(Timestamp counted) {
    hits_ = LimitHits{hits_.without(counted)};
}

void Bucket::fail(Timestamp now) {
    noteFailures(failures_ + 1, now);
}

void Bucket::noteFailures(unsigned failures, Timestamp now) {
    failures_ = failures;
    expiresAt_ = std::max(expiresAt_, now + kFailureMemory);
}

void Bucket::takeBackFailure() {
    if (failures_ > 0) --failures_;
}

void Bucket::succeed(Timestamp now, std::chrono::seconds memory) {
    if (failures_ == 0) return;
    failures_ = 0;
    expiresAt_ = now + memory;
}

bool Bucket::noteRefusal(Timestamp now) {
    constexpr std::chrono::minutes kTellEvery{1};
    if (refusedAt_ > now - kTellEvery) return false;
    refusedAt_ = now;
    return true;
}

std::optional<std::size_t> takeAll(std::span<const Meter> meters, Timestamp now) {
    for (std::size_t i = 0; i < meters.size(); ++i) {
        if (!meters[i].bucket->accepts(*meters[i].rule, now)) return i;
    }
    for (const Meter& meter : meters) meter.bucket->take(*meter.rule, now);
    return std::nullopt;
}

std::string limitBucket(std::string_view kind, std::string_view subject) {
    std::string key{kind};
    key += ':';
    key += subject;
    return crypto::sha256(key).substr(0, 16);
}

}  // namespace otpgate::domain
