// One line an event on standard error, as text or JSON. Any thread may log; a line is written whole. Nobody passes a
// code, token, password or full address here.
#pragma once

#include "otpgate/base/clock.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace otpgate {

enum class LogLevel { Error, Warning, Info, Debug };
enum class LogFormat { Text, Json };

struct LogField {
    std::string_view name;
    std::variant<std::string_view, std::int64_t> value;
};

class Logger {
public:
    // Writes to the file descriptor (2 in production); the clock outlives the logger.
    Logger(LogFormat format, LogLevel level, const Clock& clock, int fileDescriptor = 2);

    // Text: `2026-11-20T05:12:00Z info message name=value name="two words"`; control characters and invalid UTF-8 are
    // escaped in both forms, so that no value can forge a line. Failure to write is ignored.
    void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
    void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
        log(LogLevel::Error, message, fields);
    }
    void warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
        log(LogLevel::Warning, message, fields);
    }
    void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
        log(LogLevel::Info, message, fields);
    }
    void debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
        log(LogLevel::Debug, message, fields);
    }

private:
    LogFormat format_;
    LogLevel level_;
    const Clock& clock_;
    int fileDescriptor_;
};

}  // namespace otpgate
