#include "cli/site_file.h"

#include "otpgate/base/text.h"

#include <stdexcept>
#include <vector>

namespace otpgate::cli {

namespace {

constexpr std::string_view kHost = "login.example.com";
constexpr std::string_view kShippedSocket = "/run/otpgate/otpgate.sock";

// What stands in place of one word wherever it does; it must stand somewhere.
void replace(std::string& text, std::string_view word, std::string_view by) {
    auto at = text.find(word);
    if (at == std::string::npos) throw std::runtime_error("the shipped site file has no " + std::string{word});
    for (; at != std::string::npos; at = text.find(word, at + by.size())) text.replace(at, word.size(), by);
}

// In place of the line that begins so, after blanks, and stands in no comment.
void setLine(std::string& text, std::string_view beginning, std::string_view line) {
    std::vector<std::string> lines;
    bool isFound = false;
    for (const std::string_view old : split(text, '\n')) {
        const bool isIt = trim(old).starts_with(beginning);
        isFound = isFound || isIt;
        lines.push_back(isIt ? std::string{old.substr(0, old.find(beginning))} + std::string{line} : std::string{old});
    }
    if (!isFound) throw std::runtime_error("the shipped site file has no " + std::string{beginning});
    text = joined(lines, "\n");
}

// The block at the beginning of a line that holds `word`.
void removeBlock(std::string& text, std::string_view begin, std::string_view end, std::string_view word) {
    const std::string opening = "\n" + std::string{begin};
    const std::string closing = "\n" + std::string{end} + "\n";
    for (auto at = text.find(opening); at != std::string::npos; at = text.find(opening, at + 1)) {
        const auto last = text.find(closing, at);
        if (last == std::string::npos) break;
        if (text.substr(at, last - at).find(word) == std::string::npos) continue;
        text.erase(at + 1, last + closing.size() - at - 1);
        return;
    }
    throw std::runtime_error("the shipped site file has no block with " + std::string{word});
}

}  // namespace

std::string siteFile(WebServer server, std::string_view shipped, const SiteNames& names) {
    std::string text{shipped};
    switch (server) {
    case WebServer::Nginx:
        setLine(text, "root /usr/", "root " + names.pages + ";");
        if (names.certificate) {
            setLine(text, "ssl_certificate ", "ssl_certificate     " + names.certificate->file + ";");
            setLine(text, "ssl_certificate_key ", "ssl_certificate_key " + names.certificate->keyFile + ";");
        } else {
            removeBlock(text, "server {", "}", "listen 443");
        }
        break;
    case WebServer::Apache:
        setLine(text, "Define OTPGATE_WWW ", "Define OTPGATE_WWW " + names.pages);
        if (names.certificate) {
            setLine(text, "SSLCertificateFile ", "SSLCertificateFile    " + names.certificate->file);
            setLine(text, "SSLCertificateKeyFile ", "SSLCertificateKeyFile " + names.certificate->keyFile);
        } else {
            removeBlock(text, "<VirtualHost *:443>", "</VirtualHost>", "SSLEngine");
        }
        break;
    }
    if (names.socket != kShippedSocket) replace(text, kShippedSocket, names.socket);
    replace(text, kHost, names.host);
    return text;
}

}  // namespace otpgate::cli
