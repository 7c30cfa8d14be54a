// The words of our messages: mustache templates by language, kind and part, built into the binary and overridden file
// by file from a directory. Used by the composer and `otpgate templates`; safe on any thread.
#pragma once

#include "otpgate/domain/models.h"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otpgate::delivery {

struct TemplateSettings {
    std::string directory;  // empty: the built-in ones alone
    std::string defaultLocale = "en";
};

enum class TemplatePart { Subject, Text, Html, Sms };
inline constexpr std::array kTemplateParts{TemplatePart::Subject, TemplatePart::Text, TemplatePart::Html,
                                           TemplatePart::Sms};
std::string_view toString(TemplatePart part);  // as the file's name ends: "subject", "txt", "html", "sms"

inline constexpr std::array kMessageKinds{domain::MessageKind::Code,
                                          domain::MessageKind::Link,
                                          domain::MessageKind::NewSignIn,
                                          domain::MessageKind::PasswordChanged,
                                          domain::MessageKind::AddressChanged,
                                          domain::MessageKind::ManyFailures,
                                          domain::MessageKind::PasskeyAdded,
                                          domain::MessageKind::PasskeyRemoved,
                                          domain::MessageKind::TotpAdded,
                                          domain::MessageKind::TotpRemoved,
                                          domain::MessageKind::RecoveryCodesMade,
                                          domain::MessageKind::RecoveryCodeUsed,
                                          domain::MessageKind::DeviceTrusted};

// What the placeholders stand for. An empty text is a section that is left out.
using TemplateValues = std::vector<std::pair<std::string_view, std::string>>;

class TemplateFiles;

class Templates {
public:
    // Throws ConfigurationError for a directory that cannot be read, a file that is wrong, by its name and line, or a
    // default without templates.
    explicit Templates(const TemplateSettings& settings);
    ~Templates();
    Templates(const Templates&) = delete;
    Templates& operator=(const Templates&) = delete;

    // `languages`: tags by comma, the most wanted first. The first that has templates, by RFC 4647, section 3.4 (pt-BR
    // finds pt); else the default.
    const std::string& localeFor(std::string_view languages) const;
    std::vector<std::string> locales() const;

    // The language that a message of this kind is sent in: `locale`, or where that has no words for it a shorter tag
    // that has, else English. The values of its templates are those of this language.
    const std::string& spokenFor(const std::string& locale, domain::MessageKind kind) const;
    // For whoever wrote the languages that lack some: a sentence each.
    std::vector<std::string> standInNotes() const;

    // `locale` is one of them, and has words for the kind. Values are escaped in HTML; a subject is one line, a subject
    // and an SMS end without a line end.
    std::string render(const std::string& locale, domain::MessageKind kind, TemplatePart part,
                       const TemplateValues& values) const;

private:
    class Locale;

    std::unique_ptr<TemplateFiles> files_;
    std::vector<std::unique_ptr<Locale>> locales_;
    std::string defaultLocale_;
};

}  // namespace otpgate::delivery
