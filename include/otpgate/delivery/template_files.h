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
    // Files whose names or sizes are not what a template's may be, and locales that lack some.
    const std::vector<TemplateFinding>& findings() const { return findings_; }

private:
    void readDirectory(const std::string& directory);
    void add(const std::string& path, const std::string& name);
    void findLocales(const std::string& directory);

    std::map<std::string, TemplateFile, std::less<>> files_;
    std::deque<std::string> texts_;  // of the directory's files
    std::vector<std::string> locales_;
    std::vector<TemplateFinding> findings_;
};

}  // namespace otpgate::delivery
