// The settings: a file as somebody writes it. What is wrong is said in one line that names the setting and no secret.
#include "fuzz/fuzz.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/settings_reader.h"
#include "otpgate/base/text.h"
#include "settings.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace otpgate;

// Beginning with what the fuzzer cannot come upon by itself.
constexpr std::string_view kSetPassword = "Hu$nter-2-of-nobody";

void requireMessage(std::string_view message) {
    REQUIRE(!message.empty() && message.find('\n') == std::string_view::npos);
    REQUIRE(message.find(kSetPassword) == std::string_view::npos);
}

void loadAll(std::string_view text) {
    const int file = ::memfd_create("otpgate.conf", MFD_CLOEXEC);
    REQUIRE(file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    try {
        const Settings settings = loadSettings("/proc/self/fd/" + std::to_string(file),
                                               {{"OTPGATE_DATABASE_PASSWORD", std::string{kSetPassword}},
                                                {"OTPGATE_MAIL_SMTP_PASSWORD", std::string{kSetPassword}}});
        REQUIRE(settings.otp.format.length >= 4 && settings.otp.format.length <= 10);
        REQUIRE(settings.server.threads >= 1);
        REQUIRE(!settings.publicUrl.ends_with('/') && !hostOf(settings.publicUrl).empty());
        REQUIRE(std::none_of(settings.mail.from.begin(), settings.mail.from.end(),
                             [](unsigned char c) { return c < 0x20; }));
    } catch (const ConfigurationError& error) {
        requireMessage(error.what());
    }
    ::close(file);
}

// What a reader gives, written down again, is read as the same.
void requireRoundTrip(std::string_view text) {
    try {
        SettingsReader reader("a.conf", text, {});
        const std::string value = reader.text("section.name", "");
        SettingsReader again("a.conf", "[section]\nname = " + value + "\n", {});
        REQUIRE(again.text("section.name", "") == value);
        for (const std::string& item : reader.list("section.name", "")) REQUIRE(!item.empty());
        reader.rejectUnknown();
    } catch (const ConfigurationError& error) {
        requireMessage(error.what());
    }
    std::chrono::milliseconds duration{};
    if (parseDuration(text, duration)) REQUIRE(duration.count() >= 0);
}

}  // namespace

FUZZ_TARGET(settings) {
    loadAll(input);
    requireRoundTrip(input);
}
