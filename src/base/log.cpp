#include "otpgate/base/log.h"

#include "otpgate/base/encoding.h"

#include <cerrno>
#include <unistd.h>

namespace otpgate {
namespace {

std::string_view nameOf(LogLevel level) {
    switch (level) {
    case LogLevel::Error: return "error";
    case LogLevel::Warning: return "warning";
    case LogLevel::Info: return "info";
    case LogLevel::Debug: return "debug";
    }
    return "";
}

// The escapes are JSON's in both forms, so a reader of either needs one set of rules.
std::string escape(std::string_view text) {
    std::string quoted;
    appendJsonString(quoted, text);
    return quoted;
}

bool needsQuotes(std::string_view text, std::string_view escaped) {
    return text.empty() || escaped.size() != text.size() + 2 || text.find_first_of(" =") != std::string_view::npos;
}

void appendTextField(std::string& line, const LogField& field) {
    line.append(" ").append(field.name).append("=");
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
        line += std::to_string(*number);
        return;
    }
    const std::string_view text = std::get<std::string_view>(field.value);
    const std::string escaped = escape(text);
    line += needsQuotes(text, escaped) ? std::string_view(escaped) : text;
}

std::string makeTextLine(Timestamp time, LogLevel level, std::string_view message,
                         std::initializer_list<LogField> fields) {
    std::string line = formatRfc3339(time);
    const std::string escaped = escape(message);
    line.append(" ").append(nameOf(level)).append(" ").append(escaped, 1, escaped.size() - 2);
    for (const LogField& field : fields) appendTextField(line, field);
    line += '\n';
    return line;
}

std::string makeJsonLine(Timestamp time, LogLevel level, std::string_view message,
                         std::initializer_list<LogField> fields) {
    std::string line = R"({"time":")";
    line.append(formatRfc3339(time)).append(R"(","level":")").append(nameOf(level)).append(R"(","message":)");
    appendJsonString(line, message);
    for (const LogField& field : fields) {
        line += ',';
        appendJsonString(line, field.name);
        line += ':';
        if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
            line += std::to_string(*number);
        } else {
            appendJsonString(line, std::get<std::string_view>(field.value));
        }
    }
    line += "}\n";
    return line;
}

// One write: the kernel keeps lines of many threads and processes apart (for a pipe, up to PIPE_BUF bytes). The loop is
// for a signal or a full pipe that cut it short.
void writeLine(int fileDescriptor, std::string_view line) {
    while (!line.empty()) {
        const ssize_t written = ::write(fileDescriptor, line.data(), line.size());
        if (written > 0) {
            line.remove_prefix(static_cast<std::size_t>(written));
        } else if (written == 0 || errno != EINTR) {
            return;
        }
    }
}

}  // namespace

Logger::Logger(LogFormat format, LogLevel level, const Clock& clock, int fileDescriptor)
    : format_(format),
      level_(level),
      clock_(clock),
      fileDescriptor_(fileDescriptor) {}

void Logger::log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
    if (level > level_) return;
    const Timestamp now = clock_.now();
    const std::string line = format_ == LogFormat::Json ? makeJsonLine(now, level, message, fields)
                                                        : makeTextLine(now, level, message, fields);
    writeLine(fileDescriptor_, line);
}

}  // namespace otpgate
