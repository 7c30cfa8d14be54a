#include "otpgate/base/settings_reader.h"

#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <limits>
#include <numeric>

namespace otpgate {
namespace {

constexpr std::string_view kVariablePrefix = "OTPGATE_";
constexpr std::size_t kFurthestTypo = 2;

struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
};
constexpr std::array<Unit, 5> kUnits = {{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

bool isName(std::string_view text) {
    return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

// Such a value would end up in a mail header, a path or a log line.
bool holdsControlCharacter(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return c != '\t' && isControl(c); });
}

// In the largest unit that divides it: 600000 ms is "10m".
std::string formatDuration(std::chrono::milliseconds duration) {
    const auto unit = std::find_if(kUnits.rbegin(), kUnits.rend() - 1, [&](const Unit& candidate) {
        return duration.count() != 0 && duration.count() % candidate.milliseconds == 0;
    });
    return std::to_string(duration.count() / unit->milliseconds).append(unit->name);
}

std::string formatOctal(unsigned number) {
    std::array<char, 16> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number, 8);
    return "0" + std::string(digits.data(), end);
}

// otp.length -> OTPGATE_OTP_LENGTH
std::string variableOf(std::string_view key) {
    std::string variable(kVariablePrefix);
    for (const char c : key) variable += c == '.' ? '_' : toUpper(c);
    return variable;
}

// How many characters to insert, drop or replace to make one of the other (Levenshtein).
std::size_t editDistance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

std::string readFirstLine(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    // A directory opens and then reads nothing, so the state after getline is what counts.
    if (!std::getline(file, line)) throw ConfigurationError("cannot read " + path);
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) throw ConfigurationError("the first line of " + path + " is empty");
    return line;
}

}  // namespace

SettingsReader::SettingsReader(std::string_view fileName, std::string_view text,
                               const std::map<std::string, std::string>& environment) {
    std::string section;
    for (int number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        line = trim(line);

        const std::string origin = std::string(fileName) + ":" + std::to_string(number);
        if (holdsControlCharacter(line)) throw ConfigurationError(origin + ": the line holds a control character");
        if (line.empty() || line.front() == '#' || line.front() == ';') continue;
        if (line.front() == '[') {
            const std::string_view name = line.back() == ']' ? trim(line.substr(1, line.size() - 2)) : "";
            if (!isName(name)) throw ConfigurationError(origin + ": expected [section]");
            section = std::string(name) + ".";
            continue;
        }
        const std::size_t equals = line.find('=');
        const std::string_view name = trim(line.substr(0, equals));
        if (equals == std::string_view::npos || !isName(name)) {
            throw ConfigurationError(origin + ": expected name = value");
        }
        const std::string value(trim(line.substr(equals + 1)));
        const auto [earlier, isNew] = fromFile_.try_emplace(section + std::string(name), Entry{value, origin, number});
        if (!isNew) {
            throw ConfigurationError(origin + ": " + earlier->first + " is set already in line " +
                                     std::to_string(earlier->second.line));
        }
    }
    for (const auto& [variable, value] : environment) {
        if (!variable.starts_with(kVariablePrefix)) continue;
        if (holdsControlCharacter(value)) throw ConfigurationError(variable + ": the value holds a control character");
        fromEnvironment_.try_emplace(variable, Entry{value, variable});
    }
}

std::string SettingsReader::text(const std::string& key, std::string_view defaultValue) {
    const Entry* entry = use(key);
    return entry == nullptr ? std::string(defaultValue) : entry->value;
}

std::int64_t SettingsReader::integer(const std::string& key, std::int64_t defaultValue, std::int64_t lowest,
                                     std::int64_t highest) {
    const Entry* entry = use(key);
    if (entry == nullptr) return defaultValue;
    const auto number = parseNumber<std::int64_t>(entry->value);
    if (!number || *number < lowest || *number > highest) {
        reject(key, "expected a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest) +
                        ", found '" + entry->value + "'");
    }
    return *number;
}

std::chrono::milliseconds SettingsReader::duration(const std::string& key, std::chrono::milliseconds defaultValue,
                                                   std::chrono::milliseconds lowest,
                                                   std::chrono::milliseconds highest) {
    const Entry* entry = use(key);
    if (entry == nullptr) return defaultValue;
    std::chrono::milliseconds duration{};
    if (!parseDuration(entry->value, duration) || duration < lowest || duration > highest) {
        reject(key, "expected a number with ms, s, m, h or d, from " + formatDuration(lowest) + " to " +
                        formatDuration(highest) + ", found '" + entry->value + "'");
    }
    return duration;
}

std::chrono::seconds SettingsReader::wholeSeconds(const std::string& key, std::chrono::milliseconds defaultValue,
                                                  std::chrono::milliseconds lowest, std::chrono::milliseconds highest) {
    const std::chrono::milliseconds value = duration(key, defaultValue, lowest, highest);
    if (value % std::chrono::seconds{1} != std::chrono::milliseconds{0}) reject(key, "must be whole seconds");
    return std::chrono::duration_cast<std::chrono::seconds>(value);
}

bool SettingsReader::flag(const std::string& key, bool defaultValue) {
    return choice(key, {"true", "false"}, defaultValue ? "true" : "false") == 0;
}

unsigned SettingsReader::octal(const std::string& key, unsigned defaultValue, unsigned highest) {
    const Entry* entry = use(key);
    if (entry == nullptr) return defaultValue;
    const auto number = parseNumber<unsigned>(entry->value, 8);
    if (!number || *number > highest) {
        reject(key, "expected an octal number up to " + formatOctal(highest) + ", found '" + entry->value + "'");
    }
    return *number;
}

std::vector<std::string> SettingsReader::list(const std::string& key, std::string_view defaultValue) {
    const std::string value = text(key, defaultValue);
    std::vector<std::string> items;
    for (std::string_view rest = value; !rest.empty();) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        if (const auto item = trim(rest.substr(0, end)); !item.empty()) items.emplace_back(item);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return items;
}

std::size_t SettingsReader::choice(const std::string& key, const std::vector<std::string>& words,
                                   std::string_view defaultValue) {
    const std::string value = text(key, defaultValue);
    const auto word = std::ranges::find(words, value);
    if (word == words.end()) reject(key, "expected one of " + joined(words, ", ") + ", found '" + value + "'");
    return static_cast<std::size_t>(word - words.begin());
}

std::string SettingsReader::secret(const std::string& key) {
    const std::string fileKey = key + "_file";
    const Entry* direct = use(key);
    const Entry* file = use(fileKey);
    const bool hasFile = file != nullptr && !file->value.empty();
    if (direct == nullptr || direct->value.empty()) {
        if (!hasFile) return {};
        try {
            return readFirstLine(file->value);
        } catch (const ConfigurationError& e) {
            reject(fileKey, e.what());
        }
    }
    if (hasFile) reject(fileKey, key + " is set too (" + direct->origin + "): only one of them may be");
    return direct->value;
}

void SettingsReader::rejectUnknown() const {
    const std::pair<const std::string, Entry>* first = nullptr;
    for (const auto& setting : fromFile_) {
        if (known_.contains(setting.first)) continue;
        if (first == nullptr || setting.second.line < first->second.line) first = &setting;
    }
    if (first != nullptr) {
        throw ConfigurationError(first->second.origin + ": unknown setting: " + first->first +
                                 suggestion(first->first));
    }
    std::set<std::string> knownVariables;
    for (const std::string& key : known_) knownVariables.insert(variableOf(key));
    for (const auto& [variable, entry] : fromEnvironment_) {
        if (!knownVariables.contains(variable)) {
            throw ConfigurationError("unknown setting in the environment: " + variable + suggestion(variable));
        }
    }
}

void SettingsReader::reject(const std::string& key, std::string_view reason) const {
    const Entry* entry = find(key);
    const std::string origin = entry == nullptr ? "" : entry->origin + ": ";
    throw ConfigurationError(origin + key + ": " + std::string(reason));
}

const SettingsReader::Entry* SettingsReader::find(const std::string& key) const {
    const auto variable = fromEnvironment_.find(variableOf(key));
    if (variable != fromEnvironment_.end()) return &variable->second;
    const auto setting = fromFile_.find(key);
    return setting == fromFile_.end() ? nullptr : &setting->second;
}

const SettingsReader::Entry* SettingsReader::use(const std::string& key) {
    known_.insert(key);
    return find(key);
}

// The nearest known name, or the one that has the same last part: a setting in the wrong section.
std::string SettingsReader::suggestion(const std::string& unknown) const {
    const bool isVariable = unknown.starts_with(kVariablePrefix);
    const std::string lastPart = unknown.substr(unknown.find('.') + 1);
    std::size_t nearest = kFurthestTypo + 1;
    std::string name;
    std::string inAnotherSection;
    for (const std::string& key : known_) {
        const std::string candidate = isVariable ? variableOf(key) : key;
        const std::size_t distance = editDistance(unknown, candidate);
        if (distance < nearest) {
            nearest = distance;
            name = candidate;
        }
        if (!isVariable && key.substr(key.find('.') + 1) == lastPart) inAnotherSection = key;
    }
    if (name.empty()) name = inAnotherSection;
    return name.empty() ? "" : " (did you mean " + name + "?)";
}

bool parseDuration(std::string_view text, std::chrono::milliseconds& out) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parseNumber<std::int64_t>(text.substr(0, digits));
    const auto unit = std::ranges::find(kUnits, text.substr(digits), &Unit::name);
    if (!number || unit == kUnits.end()) return false;
    if (*number > std::numeric_limits<std::int64_t>::max() / unit->milliseconds) return false;
    out = std::chrono::milliseconds{*number * unit->milliseconds};
    return true;
}

}  // namespace otpgate
