#include "otpgate/delivery/template_files.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace otpgate::delivery {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::size_t{64} * 1024;
constexpr std::string_view kLayout = "layout";

bool isLanguageTag(std::string_view text) {
    const auto language = text.substr(0, text.find('-'));
    return language.size() >= 2 && language.size() <= 8 && std::all_of(language.begin(), language.end(), isLetter) &&
           text.size() <= 35 && text.back() != '-' && text.find("--") == std::string_view::npos &&
           std::ranges::all_of(text, [](char c) { return isLetterOrDigit(c) || c == '-'; });
}

bool isTemplatePath(std::string_view path) {
    const auto slash = path.find('/');
    if (slash == std::string_view::npos) return false;
    const std::string_view folder = path.substr(0, slash);
    const std::string_view file = path.substr(slash + 1);
    if (folder == kLayout) {
        return file.ends_with(".html") && file.size() > 5 &&
               file.substr(0, file.size() - 5).find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
    }
    if (!isLanguageTag(folder)) return false;
    for (const domain::MessageKind kind : kMessageKinds) {
        for (const TemplatePart part : kTemplateParts) {
            if (path == templatePath(folder, kind, part)) return true;
        }
    }
    return false;
}

[[noreturn]] void cannotRead(const std::string& name, const std::error_code& error) {
    throw ConfigurationError("templates.directory: cannot read " + name + ": " + error.message());
}

std::string readFile(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    if (!file) cannotRead(name, std::error_code(errno, std::generic_category()));
    std::string text;
    text.resize(kMaxFileBytes + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

}  // namespace

std::string_view shortened(std::string_view languageRange) {
    const auto dash = languageRange.rfind('-');
    if (dash == std::string_view::npos) return {};
    languageRange = languageRange.substr(0, dash);
    if (languageRange.size() > 2 && languageRange[languageRange.size() - 2] == '-') languageRange.remove_suffix(2);
    return languageRange;
}

std::string templatePath(std::string_view locale, domain::MessageKind kind, TemplatePart part) {
    return std::string(locale).append("/").append(domain::toString(kind)).append(".").append(toString(part));
}

TemplateFiles::TemplateFiles(const std::string& directory) {
    for (const BuiltInTemplate& file : builtInTemplates()) {
        files_.emplace(file.path, TemplateFile{file.text, std::string(file.path)});
    }
    if (!directory.empty()) readDirectory(directory);
    findLocales(directory);
}

const TemplateFile* TemplateFiles::find(std::string_view path) const {
    const auto found = files_.find(path);
    return found == files_.end() ? nullptr : &found->second;
}

// Names that begin with a dot are an editor's or a version control's.
void TemplateFiles::readDirectory(const std::string& directory) {
    std::error_code error;
    const auto children = [&](const fs::path& folder) {
        std::vector<fs::path> paths;
        for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
            if (!entry->path().filename().string().starts_with(".")) paths.push_back(entry->path());
        }
        if (error) cannotRead(folder.string(), error);
        std::sort(paths.begin(), paths.end());
        return paths;
    };
    for (const fs::path& folder : children(directory)) {
        if (!fs::is_directory(folder)) {
            add(folder.filename().string(), folder.string());
            continue;
        }
        for (const fs::path& file : children(folder)) {
            add((folder.filename() / file.filename()).string(), file.string());
        }
    }
}

void TemplateFiles::add(const std::string& path, const std::string& name) {
    if (!isTemplatePath(path) || !fs::is_regular_file(name)) {
        findings_.push_back(
            {name, 1, "unknown file: must be LOCALE/KIND.PART such as de/code.txt, or layout/NAME.html"});
        return;
    }
    std::string text = readFile(name);
    if (text.size() > kMaxFileBytes) {
        findings_.push_back({name, 1, "is larger than 64 KiB"});
        return;
    }
    // What some editors write: neither is part of the text.
    if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
    std::erase(text, '\r');
    texts_.push_back(std::move(text));
    files_.insert_or_assign(path, TemplateFile{texts_.back(), name, false});
}

void TemplateFiles::findLocales(const std::string& directory) {
    std::set<std::string> folders;
    for (const auto& [path, file] : files_) folders.insert(path.substr(0, path.find('/')));
    folders.erase(std::string(kLayout));
    locales_.assign(folders.begin(), folders.end());
    for (const std::string& locale : locales_) {
        for (const domain::MessageKind kind : kMessageKinds) findMissing(directory, locale, kind);
    }
}

void TemplateFiles::findMissing(const std::string& directory, const std::string& locale, domain::MessageKind kind) {
    std::vector<std::string> missing;
    for (const TemplatePart part : kTemplateParts) {
        std::string path = templatePath(locale, kind, part);
        if (!find(path)) missing.push_back(std::move(path));
    }
    // Words for no code are no language; some parts of a message are a file that somebody lost.
    if (missing.size() == kTemplateParts.size() && kind != domain::MessageKind::Code) {
        standIns_.push_back({locale, kind, wordsFor(locale, kind)});
        return;
    }
    for (const std::string& path : missing) {
        const std::string name = directory.empty() ? path : (fs::path(directory) / path).string();
        findings_.push_back({name, 1, "is missing"});
    }
}

bool TemplateFiles::hasAll(std::string_view locale, domain::MessageKind kind) const {
    return std::ranges::all_of(kTemplateParts,
                               [&](TemplatePart part) { return find(templatePath(locale, kind, part)) != nullptr; });
}

std::string TemplateFiles::wordsFor(std::string_view locale, domain::MessageKind kind) const {
    for (std::string_view range = shortened(locale); !range.empty(); range = shortened(range)) {
        if (hasAll(range, kind)) return std::string{range};
    }
    return "en";
}

std::vector<std::string> TemplateFiles::standInNotes() const {
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> kinds;
    for (const StandIn& each : standIns_) kinds[{each.locale, each.spoken}].emplace_back(domain::toString(each.kind));
    std::vector<std::string> notes;
    notes.reserve(kinds.size());
    for (const auto& [languages, lacking] : kinds) {
        notes.push_back(languages.first + " has no " + joined(lacking, ", ") + ": " + languages.second +
                        " is sent in their place");
    }
    return notes;
}

std::string TemplateFiles::expanded(std::string_view text) const {
    std::string out;
    while (true) {
        const auto begin = text.find("{{>");
        const auto end = begin == std::string_view::npos ? begin : text.find("}}", begin);
        out += text.substr(0, end == std::string_view::npos ? end : begin);
        if (end == std::string_view::npos) return out;
        std::string_view name = text.substr(begin + 3, end - begin - 3);
        name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
        name = name.substr(0, name.find(' '));
        if (const TemplateFile* part = find(std::string(kLayout).append("/").append(name).append(".html"))) {
            // The line that names it has a line end of its own.
            out += part->text.ends_with('\n') ? part->text.substr(0, part->text.size() - 1) : part->text;
        }
        text.remove_prefix(end + 2);
    }
}

}  // namespace otpgate::delivery
