// Reads otpgate.conf and the environment, and hands out typed values with limits. Used once, at the start. Every
// mistake is a ConfigurationError that names the setting.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate {

class SettingsReader {
public:
    // The text of the file (`name = value`, `[section]`, comment lines with # or ;) and the environment as NAME=value
    // pairs, of which those that begin with OTPGATE_ count: OTPGATE_SECTION_NAME wins over section.name in the file.
    // `fileName` is for messages only.
    SettingsReader(std::string_view fileName, std::string_view text,
                   const std::map<std::string, std::string>& environment);

    // `key` is "section.name", or "name" before the first section. Each getter marks its key as known.
    std::string text(const std::string& key, std::string_view defaultValue);
    std::int64_t integer(const std::string& key, std::int64_t defaultValue, std::int64_t lowest, std::int64_t highest);
    // "10m", "1500ms", "7d"; the bounds are named in the message.
    std::chrono::milliseconds duration(const std::string& key, std::chrono::milliseconds defaultValue,
                                       std::chrono::milliseconds lowest, std::chrono::milliseconds highest);
    std::chrono::seconds wholeSeconds(const std::string& key, std::chrono::milliseconds defaultValue,
                                      std::chrono::milliseconds lowest, std::chrono::milliseconds highest);
    bool flag(const std::string& key, bool defaultValue);  // true or false
    unsigned octal(const std::string& key, unsigned defaultValue, unsigned highest);
    // By comma; items are trimmed, empty ones left out.
    std::vector<std::string> list(const std::string& key, std::string_view defaultValue);
    // One of the words, as its index.
    std::size_t choice(const std::string& key, const std::vector<std::string>& words, std::string_view defaultValue);
    // The value of `key`, or the first line of the file that `key`_file names; both set is a mistake. Empty is not set.
    std::string secret(const std::string& key);

    // Throws ConfigurationError("otpgate.conf:12: unknown setting: otp.lenght (did you mean otp.length?)") for the
    // first name in the file or the environment that no getter asked for.
    void rejectUnknown() const;

    // A ConfigurationError that names the key and where its value came from (file and line, or the variable).
    [[noreturn]] void reject(const std::string& key, std::string_view reason) const;

private:
    struct Entry {
        std::string value;
        std::string origin;  // "otpgate.conf:12" or "OTPGATE_OTP_LENGTH"
        int line = 0;        // in the file
    };
    const Entry* find(const std::string& key) const;
    const Entry* use(const std::string& key);  // find, and mark as known
    std::string suggestion(const std::string& unknown) const;

    std::map<std::string, Entry> fromFile_;         // by key
    std::map<std::string, Entry> fromEnvironment_;  // by variable
    std::set<std::string> known_;
};

// "10m" -> 600000 ms; digits and one of ms, s, m, h, d. False, and `out` as it was, for anything else and for overflow.
bool parseDuration(std::string_view text, std::chrono::milliseconds& out);

}  // namespace otpgate
