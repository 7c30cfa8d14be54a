// Where the text of templates comes from: the binary, and a directory whose files take the place of those. Paths are
// LOCALE/KIND.PART and layout/NAME.html. Used by Templates and `otpgate templates`.
#pragma once

#include "otpgate/delivery/templates.h"

#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::delivery {

struct BuiltInTemplate {
    std::string_view path;  // below etc/templates/
    std::string_view text;
};

// Every file of etc/templates, ordered by path (bytewise); embedded at build time by src/embed_files.sh.
std::span<const BuiltInTemplate> builtInTemplates();

// What is wrong with a template.
struct TemplateFinding {
    std::string file;
    unsigned line = 1;
    std::string what;

    std::string toString() const { return file + ":" + std::to_string(line) + ": " + what; }
};

struct TemplateFile {
    std::string_view text;
    std::string name;  // for messages: with the directory, or the path where it is built in
    bool isBuiltIn = true;
};

// A kind of message that a language of the directory has no words for, and the language that it is sent in.
struct StandIn {
    std::string locale;
    domain::MessageKind kind = domain::MessageKind::Code;
    std::string spoken;
};

// "zh-Hant" of "zh-Hant-TW", and so on down to nothing; a subtag of one character goes with the one after it (RFC 4647,
// section 3.4).
std::string_view shortened(std::string_view languageRange);

std::string templatePath(std::string_view locale, domain::MessageKind kind, TemplatePart part);

class TemplateFiles {
public:
    // An empty directory: the built-in ones alone. Throws ConfigurationError where the directory cannot be read.
    explicit TemplateFiles(const std::string& directory);
    TemplateFiles(const TemplateFiles&) = delete;
    TemplateFiles& operator=(const TemplateFiles&) = delete;

    const TemplateFile* find(std::string_view path) const;
    const std::vector<std::string>& locales() const { return locales_; }  // as their folders are named
    // The text with each {{> name}} replaced by layout/name.html; kainjow's own would parse them at each rendering.
    std::string expanded(std::string_view text) const;

    const std::map<std::string, TemplateFile, std::less<>>& all() const { return files_; }
    // Files whose names or sizes are not what a template's may be, and locales that lack some of a kind's.
    const std::vector<TemplateFinding>& findings() const { return findings_; }
    // Kinds that a language lacks altogether, the code excepted, are those of an otpgate that is newer than its words.
    const std::vector<StandIn>& standIns() const { return standIns_; }
    // A sentence a language: "nl has no link, many_failures: en is sent in their place".
    std::vector<std::string> standInNotes() const;

private:
    void readDirectory(const std::string& directory);
    void add(const std::string& path, const std::string& name);
    void findLocales(const std::string& directory);
    void findMissing(const std::string& directory, const std::string& locale, domain::MessageKind kind);
    bool hasAll(std::string_view locale, domain::MessageKind kind) const;
    std::string wordsFor(std::string_view locale, domain::MessageKind kind) const;

    std::map<std::string, TemplateFile, std::less<>> files_;
    std::deque<std::string> texts_;  // of the directory's files
    std::vector<std::string> locales_;
    std::vector<TemplateFinding> findings_;
    std::vector<StandIn> standIns_;
};

}  // namespace otpgate::delivery
