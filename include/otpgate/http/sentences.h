// What the API says to people, in their language: the sentences of the code are English, and etc/texts has a table for
// each other language, which is built in. Used by the error boundary alone; read-only, so all threads share it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::http {

inline constexpr std::string_view kSourceLanguage = "en";

// A table as it stands in etc/texts.
struct SentenceTable {
    std::string_view path;  // "de.json"
    std::string_view text;
};
// Generated at build time by src/embed_files.sh.
std::span<const SentenceTable> builtInSentences();

class Sentences {
public:
    // `fallback` is spoken to whom none of the languages that he wants can be; English where it is no language of ours.
    // Throws std::logic_error for a table that is not one JSON object of texts, or names a value that its sentence
    // lacks.
    Sentences(std::span<const SentenceTable> tables, std::string_view fallback);

    // Of lists of tags by comma ("fr-CH,de"), each the more wanted first: the first language that can be spoken.
    std::string_view choose(std::initializer_list<std::string_view> wanted) const;
    // A sentence of the code in this language. One that holds values ("You have 3 API keys.") is found by its pattern
    // ("You have {count} API keys."). What is in no table stays English.
    std::string in(std::string_view language, const std::string& english) const;

private:
    // A sentence with values: "You have ", " API keys."
    struct Pattern {
        std::vector<std::string> pieces;
        std::vector<std::string> translated;  // the pieces of its translation
        std::vector<std::size_t> order;       // which value stands between these

        std::vector<std::string_view> match(std::string_view text) const;  // the values; none where it does not fit
        std::string with(const std::vector<std::string_view>& values) const;
    };
    struct Table {
        std::map<std::string, std::string, std::less<>> whole;
        std::vector<Pattern> patterns;  // those that say more of a sentence come first
    };
    static Table read(const SentenceTable& file);
    static Pattern patternOf(std::string_view sentence, std::string_view translation);
    // "fr-CH" speaks fr; empty for what cannot be spoken.
    std::string_view spoken(std::string_view tag) const;

    std::map<std::string, Table, std::less<>> tables_;
    std::string_view fallback_ = kSourceLanguage;
};

}  // namespace otpgate::http
