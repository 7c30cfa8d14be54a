#include "delivery/smtp_dialogue.h"

#include "delivery/mime.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <unistd.h>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kMostReplyLines = 100;
constexpr std::size_t kLongestLogText = 160;

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return text;
}

// Each run of characters around an @ becomes "(address)".
std::string maskAddresses(std::string text) {
    static constexpr std::string_view kEnds = " \t<>()[]\"',;:";
    static constexpr std::string_view kMask = "(address)";
    for (std::size_t at = 0; (at = text.find('@', at)) != std::string::npos;) {
        const auto before = at == 0 ? std::string::npos : text.find_last_of(kEnds, at - 1);
        const auto begin = before == std::string::npos ? 0 : before + 1;
        const auto end = std::min(text.find_first_of(kEnds, at), text.size());
        text.replace(begin, end - begin, kMask);
        at = begin + kMask.size();
    }
    return text;
}

// "5.7.8" at the beginning of a text (RFC 2034), or nothing.
std::string_view enhancedCode(std::string_view text) {
    const std::string_view word = text.substr(0, text.find(' '));
    const bool plausible = word.size() >= 5 && word.size() <= 9 && isDigit(word.front()) && isDigit(word.back()) &&
                           std::all_of(word.begin(), word.end(), [](char c) { return isDigit(c) || c == '.'; });
    return plausible ? word : std::string_view{};
}

// RFC 5321, section 4.1.1.1: a name that others can look up, or else the address literal, which every server must
// accept.
std::string helloName(const SmtpStream& stream) {
    std::array<char, 256> buffer{};
    if (::gethostname(buffer.data(), buffer.size() - 1) == 0) {
        const std::string_view name(buffer.data());
        const bool usable =
            name.find('.') != std::string_view::npos && name.front() != '.' &&
            std::all_of(name.begin(), name.end(), [](char c) {
                return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
            });
        if (usable) return std::string(name);
    }
    const std::string address = stream.localAddress();
    return (address.find(':') == std::string::npos ? "[" : "[IPv6:") + address + "]";
}

std::string doubleDots(std::string_view message) {
    std::string out;
    out.reserve(message.size() + 16);
    char before = '\n';
    for (const char c : message) {
        if (c == '.' && before == '\n') out += '.';
        out += c;
        before = c;
    }
    if (!message.ends_with("\r\n")) out += "\r\n";
    return out;
}

[[noreturn]] void fail(std::string_view step, const std::string& reply) {
    throw SmtpError(std::string(step) + ": " + reply);
}

}  // namespace

std::string SmtpReply::forLog() const {
    std::string text = std::to_string(code);
    for (const auto& line : lines) {
        if (!line.empty()) text += " " + line;
    }
    text = maskAddresses(std::move(text));  // before it is cut, which might leave half an address
    if (text.size() > kLongestLogText) text.resize(kLongestLogText);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7E; }, '?');
    return text;
}

std::string SmtpReply::codesForLog() const {
    const std::string_view enhanced = lines.empty() ? std::string_view{} : enhancedCode(lines.front());
    return std::to_string(code) + (enhanced.empty() ? "" : " ") + std::string(enhanced);
}

SmtpDialogue::SmtpDialogue(const MailSettings& settings, SSL_CTX* tls, const TimeLimit& limit)
    : stream_(settings.smtpHost, settings.smtpPort, limit.step()) {
    if (settings.smtpSecurity == SmtpSecurity::Tls) secure(settings, tls, limit);
    greet(limit);
    hello(limit);
    if (settings.smtpSecurity == SmtpSecurity::StartTls) startTls(settings, tls, limit);
    if (!settings.smtpUsername.empty()) logIn(settings, limit);
}

SmtpReply SmtpDialogue::command(std::string_view step, std::string_view line, const TimeLimit& limit) {
    // The callers have checked what they put into the line; a line break would be a second command.
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
        throw SmtpError(std::string(step) + ": line break in a command");
    }
    const auto deadline = limit.step();
    try {
        stream_.write(std::string(line) + "\r\n", deadline);
    } catch (const SmtpError& error) {
        fail(step, error.what());
    }
    return readReply(step, deadline);
}

SmtpReply SmtpDialogue::content(std::string_view message, const TimeLimit& limit) {
    try {
        stream_.write(doubleDots(message) + ".\r\n", limit.step());
    } catch (const SmtpError& error) {
        fail("message", error.what());
    }
    // All the time there is: to give up here means that the user may get the message twice (RFC 5321,
    // section 4.5.3.2.6).
    return readReply("message", limit.end());
}

void SmtpDialogue::quit() {
    try {
        command("QUIT", "QUIT", TimeLimit(std::chrono::seconds(1)));
    } catch (const SmtpError&) {
        // Nothing hangs on it: what was sent has been accepted.
    }
}

void SmtpDialogue::greet(const TimeLimit& limit) {
    const SmtpReply reply = readReply("greeting", limit.step());
    if (reply.kind() != 2) fail("greeting", reply.forLog());
}

void SmtpDialogue::hello(const TimeLimit& limit) {
    const SmtpReply reply = command("EHLO", "EHLO " + helloName(stream_), limit);
    if (reply.kind() != 2) fail("EHLO", reply.forLog());
    extensions_.clear();
    for (const auto& line : reply.lines) extensions_.push_back(upper(line));
}

void SmtpDialogue::startTls(const MailSettings& settings, SSL_CTX* tls, const TimeLimit& limit) {
    if (!findExtension("STARTTLS")) throw SmtpError("the server does not offer STARTTLS");
    const SmtpReply reply = command("STARTTLS", "STARTTLS", limit);
    if (reply.kind() != 2) fail("STARTTLS", reply.forLog());
    secure(settings, tls, limit);
    hello(limit);  // RFC 3207, section 4.2: what was said in clear does not count
}

void SmtpDialogue::secure(const MailSettings& settings, SSL_CTX* tls, const TimeLimit& limit) {
    try {
        stream_.startTls(*tls, settings.smtpHost, limit.step());
    } catch (const SmtpError& error) {
        fail("TLS", error.what());
    }
}

void SmtpDialogue::logIn(const MailSettings& settings, const TimeLimit& limit) {
    const std::string mechanisms = " " + findExtension("AUTH").value_or("") + " ";
    const auto accepts = [&](std::string_view name) {
        return mechanisms.find(" " + std::string(name) + " ") != std::string::npos;
    };
    const std::string& user = settings.smtpUsername;
    const std::string& password = settings.smtpPassword;
    SmtpReply reply;
    if (accepts("PLAIN")) {
        const std::string nul(1, '\0');
        reply = command("AUTH", "AUTH PLAIN " + toBase64(nul + user + nul + password), limit);
    } else if (accepts("LOGIN")) {
        reply = command("AUTH", "AUTH LOGIN", limit);
        if (reply.code == 334) reply = command("AUTH", toBase64(user), limit);
        if (reply.code == 334) reply = command("AUTH", toBase64(password), limit);
    } else {
        throw SmtpError("the server offers neither AUTH PLAIN nor AUTH LOGIN");
    }
    if (reply.kind() != 2) fail("AUTH", reply.codesForLog());
}

SmtpReply SmtpDialogue::readReply(std::string_view step, SmtpStream::Deadline deadline) {
    SmtpReply reply;
    try {
        for (bool more = true; more;) {
            const std::string line = stream_.readLine(deadline);
            const bool wellFormed = line.size() >= 3 && std::all_of(line.begin(), line.begin() + 3, isDigit) &&
                                    (line.size() == 3 || line[3] == ' ' || line[3] == '-');
            if (!wellFormed || reply.lines.size() >= kMostReplyLines) throw SmtpError("the server does not speak SMTP");
            std::from_chars(line.data(), line.data() + 3, reply.code);
            reply.lines.push_back(line.size() > 4 ? line.substr(4) : "");
            more = line.size() > 3 && line[3] == '-';
        }
    } catch (const SmtpError& error) {
        fail(step, error.what());
    }
    if (reply.code == 421) fail(step, step == "AUTH" ? reply.codesForLog() : reply.forLog());
    return reply;
}

std::optional<std::string> SmtpDialogue::findExtension(std::string_view keyword) const {
    for (const auto& line : extensions_) {
        if (line == keyword) return "";
        if (line.starts_with(keyword) && line[keyword.size()] == ' ') return line.substr(keyword.size() + 1);
    }
    return std::nullopt;
}

}  // namespace otpgate::delivery
