#include "delivery/mail/smtp_dialogue.h"

#include "delivery/mail/smtp_auth.h"
#include "otpgate/base/text.h"

#include <Poco/Net/DNS.h>
#include <Poco/String.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kMostReplyLines = 100;

// RFC 5321, section 4.1.1.1: a name that others can look up, or else the address literal, which every server must
// accept.
std::string helloName(const SmtpStream& stream) {
    std::string name = Poco::Net::DNS::hostName();
    const bool isUsable = name.find('.') != std::string::npos && name.front() != '.' &&
                          std::ranges::all_of(name, [](char c) { return isLetterOrDigit(c) || c == '-' || c == '.'; });
    if (isUsable) return name;
    std::string address = stream.localAddress();
    if (address.empty()) address = "127.0.0.1";
    return (address.find(':') == std::string::npos ? "[" : "[IPv6:") + address + "]";
}

// With dots doubled at the beginning of lines, and the final dot (RFC 5321, section 4.5.2). Poco's MailOutputStream
// takes each byte through a stream of its own, which was a tenth of what a mail costs.
std::string withFinalDot(std::string_view message) {
    std::string out = Poco::replace(std::string(message), "\r\n.", "\r\n..");
    if (out.starts_with('.')) out.insert(0, 1, '.');
    if (!out.empty() && !out.ends_with("\r\n")) out += "\r\n";
    return out += ".\r\n";
}

struct EnvelopeStep {
    std::string_view name;
    std::string_view line;
    int granted;  // the kind of reply that goes on
};

[[noreturn]] void fail(std::string_view step, const std::string& reply) {
    throw SmtpError(std::string(step) + ": " + reply);
}

}  // namespace

SmtpDialogue::SmtpDialogue(const SmtpServer& server, const DialogueSurroundings& surroundings, const TimeLimit& limit)
    : server_(server),
      around_(surroundings),
      stream_(bareHost(server.host), server.port, limit.connect()) {
    if (around_.transcript != nullptr) {
        around_.transcript->noted("connected to " + stream_.peerAddress() + " port " + std::to_string(server.port));
    }
    open(limit);
}

void SmtpDialogue::open(const TimeLimit& limit) {
    if (server_.security == SmtpSecurity::Tls) secure(limit);
    greet(limit);
    hello(limit);
    if (server_.security == SmtpSecurity::StartTls) startTls(limit);
    if (!server_.username.empty()) logIn(limit);
}

SmtpReply SmtpDialogue::command(std::string_view step, std::string_view line, const TimeLimit& limit) {
    return exchange(step, line, limit, line);
}

SmtpReply SmtpDialogue::exchange(std::string_view step, std::string_view line, const TimeLimit& limit,
                                 std::string_view shown) {
    const auto deadline = limit.answer();
    write(step, lineOf(step, line, shown), deadline);
    return readReply(step, deadline);
}

std::string SmtpDialogue::lineOf(std::string_view step, std::string_view command, std::string_view shown) {
    // The callers have checked what they put into the line; a line break would be a second command.
    if (command.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
        throw SmtpError(std::string(step) + ": line break in a command");
    }
    if (around_.transcript != nullptr) around_.transcript->sent(shown);
    return std::string(command) + "\r\n";
}

void SmtpDialogue::write(std::string_view step, std::string_view bytes, Deadline deadline) {
    try {
        stream_.write(bytes, deadline);
    } catch (const SmtpError& error) {
        fail(step, error.what());
    }
}

std::optional<SmtpRefusal> SmtpDialogue::envelope(const std::string& mailFrom, const std::string& rcptTo,
                                                  const TimeLimit& limit, bool& isAccepted) {
    const std::array<EnvelopeStep, 3> steps{{{"MAIL FROM", mailFrom, 2}, {"RCPT TO", rcptTo, 2}, {"DATA", "DATA", 3}}};
    const bool isTogether = offers("PIPELINING");
    if (isTogether) {
        std::string lines;
        for (const EnvelopeStep& step : steps) lines += lineOf(step.name, step.line, step.line);
        write(steps.front().name, lines, limit.answer());
    }
    std::optional<SmtpRefusal> refusal;
    for (const EnvelopeStep& step : steps) {
        try {
            SmtpReply reply = isTogether ? readReply(step.name, limit.answer()) : command(step.name, step.line, limit);
            const bool isGranted = reply.kind() == step.granted;
            if (!isGranted && !refusal) refusal = {step.name, std::move(reply)};
            if (isGranted && &step == &steps.front()) isAccepted = true;
            // The server waits for a message that nobody is to get (RFC 2920, section 3.1).
            if (isGranted && refusal && &step == &steps.back()) static_cast<void>(content("", limit));
        } catch (const SmtpError&) {
            if (!refusal) throw;
            break;  // the connection is of no more use, which RSET will find; the refusal says why
        }
        if (refusal && !isTogether) break;
    }
    return refusal;
}

SmtpReply SmtpDialogue::content(std::string_view message, const TimeLimit& limit) {
    if (around_.transcript != nullptr) {
        around_.transcript->sent("(the message, " + std::to_string(message.size()) + " bytes)");
        around_.transcript->sent(".");
    }
    write("message", withFinalDot(message), limit.answer());
    // A time of its own: to give up here means that the user may get the message twice (RFC 5321, section 4.5.3.2.6).
    return readReply("message", limit.data());
}

void SmtpDialogue::quit() {
    constexpr std::chrono::seconds kShort{1};
    try {
        command("QUIT", "QUIT", TimeLimit({kShort, kShort, kShort}));
    } catch (const SmtpError&) {
        // Nothing hangs on it: what was sent has been accepted.
    }
}

void SmtpDialogue::greet(const TimeLimit& limit) {
    const SmtpReply reply = readReply("greeting", limit.answer());
    if (reply.kind() != 2) fail("greeting", reply.forLog(around_.secrets));
}

void SmtpDialogue::hello(const TimeLimit& limit) {
    extensions_.clear();
    const std::string name = helloName(stream_);
    const SmtpReply reply = command("EHLO", "EHLO " + name, limit);
    isOfOldDialect_ = reply.kind() == 5;
    if (isOfOldDialect_) {
        // RFC 5321, section 3.2: from before the extensions, of which it then has none.
        SmtpReply plain;
        try {
            plain = command("HELO", "HELO " + name, limit);
        } catch (const SmtpError&) {
            fail("EHLO", reply.forLog(around_.secrets));  // it was said before
        }
        if (plain.kind() != 2) fail("HELO", plain.forLog(around_.secrets));
        return;
    }
    if (reply.kind() != 2) fail("EHLO", reply.forLog(around_.secrets));
    for (const auto& line : reply.lines) extensions_.push_back(toUpper(line));
}

void SmtpDialogue::startTls(const TimeLimit& limit) {
    if (isOfOldDialect_) {
        throw SmtpError("the server refuses EHLO, so it has no STARTTLS: use another server, or " + server_.section +
                        ".smtp_security = tls with port 465");
    }
    if (!offers("STARTTLS")) {
        throw SmtpError("the server does not offer STARTTLS: allow it there, or set " + server_.section +
                        ".smtp_security = tls with port 465");
    }
    const SmtpReply reply = command("STARTTLS", "STARTTLS", limit);
    if (reply.kind() != 2) fail("STARTTLS", reply.forLog(around_.secrets));
    secure(limit);
    hello(limit);  // RFC 3207, section 4.2: what was said in clear does not count
}

void SmtpDialogue::secure(const TimeLimit& limit) {
    try {
        stream_.startTls(*around_.tls, limit.connect());
    } catch (const SmtpError& error) {
        noteTls();
        fail("TLS", error.what());
    }
    noteTls();
}

void SmtpDialogue::noteTls() {
    if (around_.transcript == nullptr) return;
    if (const std::string suite = around_.tls->suite(); !suite.empty()) around_.transcript->noted(suite);
    const ServerCertificate& certificate = around_.tls->certificate();
    if (certificate.subject.empty()) return;
    around_.transcript->noted("certificate of " + certificate.subject + ", for " + certificate.names + ", issued by " +
                              certificate.issuer + ", valid until " + certificate.validUntil);
}

void SmtpDialogue::logIn(const TimeLimit& limit) {
    const Encryption encryption = stream_.isEncrypted() ? Encryption::Tls : Encryption::None;
    requireProtection(server_, {encryption, stream_.peerAddress()}, around_.plaintextAuth);
    if (isOfOldDialect_) {
        throw SmtpError("the server refuses EHLO, so it has no AUTH: use another server, or do without " +
                        server_.section + ".smtp_username");
    }
    const SmtpAuth mechanism = chooseMechanism(server_, offeredMechanisms(), around_.secrets);
    const std::string secret = readSecret(server_, mechanism);
    const std::vector<std::string> responses = saslResponses(mechanism, server_, secret);
    around_.secrets.add(secret);
    for (const std::string& response : responses) around_.secrets.add(response);
    const SmtpReply reply = respond(mechanism, responses, limit);
    if (reply.kind() == 2) return;
    const std::string culprit = usesToken(mechanism)
                                    ? "the access token of " + server_.section + ".smtp_oauth_token_file"
                                    : server_.section + ".smtp_username or its password";
    fail("AUTH", reply.codesForLog(around_.secrets) + (reply.code == 535 ? ": " + culprit + " is wrong" : ""));
}

// The last reply. What the server says in between is of no use but to those who send a token.
SmtpReply SmtpDialogue::respond(SmtpAuth mechanism, const std::vector<std::string>& responses, const TimeLimit& limit) {
    // RFC 4954, section 4: a first response goes along when the line stays within 512 bytes.
    constexpr std::size_t kLongestCommand = 510;
    std::string line = "AUTH " + std::string(mechanismName(mechanism));
    std::string shown = line;
    auto next = responses.begin();
    if (responses.size() == 1 && line.size() + 1 + next->size() <= kLongestCommand) {
        line += " " + *next++;
        shown += " ***";
    }
    SmtpReply reply = exchange("AUTH", line, limit, shown);
    while (reply.code == 334 && next != responses.end()) reply = exchange("AUTH", *next++, limit, "***");
    if (reply.code != 334 || !usesToken(mechanism)) return reply;

    const std::string status = around_.secrets.strikeOut(statusOfErrorChallenge(reply.lines.back()));
    const std::string_view answer = answerToErrorChallenge(mechanism);
    reply = exchange("AUTH", answer, limit, answer);
    if (status.empty() || reply.kind() == 2) return reply;
    fail("AUTH", reply.codesForLog(around_.secrets) + ": the server says " + status + " to the access token of " +
                     server_.section + ".smtp_oauth_token_file: renew it");
}

SmtpReply SmtpDialogue::readReply(std::string_view step, Deadline deadline) {
    SmtpReply reply;
    try {
        for (bool more = true; more;) {
            const std::string line = stream_.readLine(deadline);
            if (around_.transcript != nullptr) around_.transcript->received(around_.secrets.strikeOut(line));
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
    if (reply.code == 421) {
        throw SmtpLeave(std::string(step) + ": " +
                        (step == "AUTH" ? reply.codesForLog(around_.secrets) : reply.forLog(around_.secrets)));
    }
    return reply;
}

// Some servers write AUTH=LOGIN, as a draft of RFC 2554 had it, alone or beside the line of the standard.
std::string SmtpDialogue::offeredMechanisms() const {
    static constexpr std::string_view kDraft = "AUTH=";
    std::string offered = findExtension("AUTH").value_or("");
    for (const auto& line : extensions_) {
        if (!line.starts_with(kDraft)) continue;
        if (!offered.empty()) offered += ' ';
        offered += line.substr(kDraft.size());
    }
    return offered;
}

std::optional<std::string> SmtpDialogue::findExtension(std::string_view keyword) const {
    for (const auto& line : extensions_) {
        if (line == keyword) return "";
        if (line.starts_with(keyword) && line[keyword.size()] == ' ') return line.substr(keyword.size() + 1);
    }
    return std::nullopt;
}

}  // namespace otpgate::delivery
