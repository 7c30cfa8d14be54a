#include "otpgate/http/sentences.h"

#include "otpgate/base/text.h"
#include "otpgate/http/json.h"

#include <algorithm>
#include <stdexcept>

namespace otpgate::http {

namespace {

std::size_t lettersOf(const std::vector<std::string>& pieces) {
    std::size_t count = 0;
    for (const std::string& piece : pieces) count += piece.size();
    return count;
}

// "You have {count} API keys." is the pieces before and behind the name {count}.
struct Cut {
    std::vector<std::string> pieces;
    std::vector<std::string_view> names;
};
Cut cut(std::string_view sentence) {
    Cut result;
    for (auto open = sentence.find('{'); open != std::string_view::npos; open = sentence.find('{')) {
        const auto close = sentence.find('}', open);
        if (close == std::string_view::npos) throw std::logic_error("a sentence without a }: " + std::string{sentence});
        result.pieces.emplace_back(sentence.substr(0, open));
        result.names.push_back(sentence.substr(open, close + 1 - open));
        sentence.remove_prefix(close + 1);
    }
    result.pieces.emplace_back(sentence);
    return result;
}

}  // namespace

Sentences::Sentences(std::span<const SentenceTable> tables, std::string_view fallback) {
    for (const SentenceTable& table : tables) {
        tables_.emplace(table.path.substr(0, table.path.find('.')), read(table));
    }
    const std::string_view language = spoken(fallback);
    if (!language.empty()) fallback_ = language;
}

Sentences::Table Sentences::read(const SentenceTable& file) {
    Table table;
    for (auto& [sentence, translation] : readTexts(file.text)) {
        if (sentence.find('{') == std::string::npos) {
            table.whole.emplace(sentence, std::move(translation));
        } else {
            table.patterns.push_back(patternOf(sentence, translation));
        }
    }
    std::stable_sort(table.patterns.begin(), table.patterns.end(),
                     [](const Pattern& a, const Pattern& b) { return lettersOf(a.pieces) > lettersOf(b.pieces); });
    return table;
}

Sentences::Pattern Sentences::patternOf(std::string_view sentence, std::string_view translation) {
    Cut english = cut(sentence);
    Cut other = cut(translation);
    Pattern pattern{std::move(english.pieces), std::move(other.pieces), {}};
    for (const std::string_view name : other.names) {
        const auto found = std::find(english.names.begin(), english.names.end(), name);
        if (found == english.names.end())
            throw std::logic_error("a value that nobody gives: " + std::string{translation});
        pattern.order.push_back(static_cast<std::size_t>(found - english.names.begin()));
    }
    return pattern;
}

std::string Sentences::Pattern::with(const std::vector<std::string_view>& values) const {
    std::string text = translated.front();
    for (std::size_t i = 0; i < order.size(); ++i) text.append(values[order[i]]).append(translated[i + 1]);
    return text;
}

std::vector<std::string_view> Sentences::Pattern::match(std::string_view text) const {
    if (!text.starts_with(pieces.front())) return {};
    text.remove_prefix(pieces.front().size());
    std::vector<std::string_view> values;
    for (std::size_t i = 1; i < pieces.size(); ++i) {
        const bool isLast = i + 1 == pieces.size();
        // A value may hold what stands between others, so the last piece is looked for from the end.
        const auto at = isLast ? (text.ends_with(pieces[i]) ? text.size() - pieces[i].size() : std::string_view::npos)
                               : text.find(pieces[i]);
        if (at == std::string_view::npos || at == 0) return {};
        values.push_back(text.substr(0, at));
        text.remove_prefix(at + pieces[i].size());
    }
    return values;
}

std::string_view Sentences::spoken(std::string_view tag) const {
    const std::string language = toLower(tag.substr(0, tag.find('-')));
    if (language == kSourceLanguage) return kSourceLanguage;
    const auto found = tables_.find(language);
    return found == tables_.end() ? std::string_view{} : std::string_view{found->first};
}

std::string_view Sentences::choose(std::initializer_list<std::string_view> wanted) const {
    for (std::string_view list : wanted) {
        while (!list.empty()) {
            const auto comma = std::min(list.find(','), list.size());
            const std::string_view language = spoken(list.substr(0, comma));
            if (!language.empty()) return language;
            list.remove_prefix(std::min(comma + 1, list.size()));
        }
    }
    return fallback_;
}

std::string Sentences::in(std::string_view language, const std::string& english) const {
    const auto table = tables_.find(language);
    if (table == tables_.end()) return english;
    const auto whole = table->second.whole.find(english);
    if (whole != table->second.whole.end()) return whole->second;
    for (const Pattern& pattern : table->second.patterns) {
        const auto values = pattern.match(english);
        if (!values.empty()) return pattern.with(values);
    }
    return english;
}

}  // namespace otpgate::http
