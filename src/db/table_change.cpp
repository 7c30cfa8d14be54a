#include "db/table_change.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace otpgate::db {

namespace {

using Words = std::vector<std::string>;

struct Column {
    std::string type;
    bool nullable;
    bool operator==(const Column&) const = default;
};
struct Key {
    bool unique = false;
    std::vector<std::string> columns;
    bool operator==(const Key&) const = default;
};
struct Table {
    std::map<std::string, Column> columns;
    std::map<std::string, Key> keys;
};
struct TableChange {
    std::string table;
    Table made;
    std::set<std::string> goneColumns;
    std::set<std::string> goneKeys;
};

bool isOfWord(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

// Words in lower case, signs, and texts in quotes as one word each, so that a comma in a default parts no clauses.
Words wordsOf(std::string_view sql) {
    Words words;
    for (std::size_t at = 0; at < sql.size();) {
        std::size_t end = at + 1;
        if (sql[at] == '\'') {
            while (end < sql.size() && sql[end] != '\'') end += sql[end] == '\\' ? 2 : 1;
            end = std::min(end + 1, sql.size());
        } else if (isOfWord(sql[at])) {
            while (end < sql.size() && isOfWord(sql[end])) ++end;
        }
        if (std::isspace(static_cast<unsigned char>(sql[at])) == 0) words.push_back(lower(sql.substr(at, end - at)));
        at = end;
    }
    return words;
}

// A part of a statement, read from its first word on.
class Clause {
public:
    explicit Clause(std::span<const std::string> words) : words_(words) {}

    bool startsWith(std::initializer_list<std::string_view> expected) const {
        return std::ranges::equal(words_.first(std::min(expected.size(), words_.size())), expected);
    }
    // Whether these words come next; then they are read.
    bool take(std::initializer_list<std::string_view> expected) {
        if (!startsWith(expected)) return false;
        words_ = words_.subspan(expected.size());
        return true;
    }
    // The next word; empty at the end.
    std::string word() {
        if (words_.empty()) return {};
        std::string out = words_.front();
        words_ = words_.subspan(1);
        return out;
    }
    bool atEnd() const { return words_.empty(); }
    bool has(std::initializer_list<std::string_view> wanted) const {
        return std::search(words_.begin(), words_.end(), wanted.begin(), wanted.end()) != words_.end();
    }
    // What stands between the next parenthesis and its partner.
    std::optional<Clause> inParentheses() {
        if (!take({"("})) return std::nullopt;
        std::size_t depth = 1;
        for (std::size_t i = 0; i < words_.size(); ++i) {
            if (words_[i] == "(") ++depth;
            if (words_[i] == ")" && --depth == 0) {
                const Clause inside(words_.first(i));
                words_ = words_.subspan(i + 1);
                return inside;
            }
        }
        return std::nullopt;
    }
    // The parts between commas that no parentheses enclose.
    std::vector<Clause> parts() const {
        std::vector<Clause> out;
        std::size_t begin = 0;
        std::size_t depth = 0;
        for (std::size_t i = 0; i < words_.size(); ++i) {
            if (words_[i] == "(") ++depth;
            if (words_[i] == ")") --depth;
            if (words_[i] != "," || depth > 0) continue;
            out.emplace_back(words_.subspan(begin, i - begin));
            begin = i + 1;
        }
        out.emplace_back(words_.subspan(begin));
        return out;
    }
    std::string text() const {
        std::string out;
        for (const std::string& word : words_) out += word;
        return out;
    }

private:
    std::span<const std::string> words_;
};

// MariaDB says bigint(20) where MySQL says bigint.
std::string withoutWidth(std::string type) {
    const auto size = type.find('(');
    if (size != std::string::npos && type.ends_with(')') && type.substr(0, size).ends_with("int")) type.resize(size);
    return type;
}

bool readColumn(Clause clause, Table& table) {
    const std::string name = clause.word();
    std::string type = clause.word();
    if (type.empty()) return false;
    if (const auto size = clause.inParentheses()) type += "(" + size->text() + ")";
    const bool nullable = !clause.has({"not", "null"});
    return table.columns.emplace(name, Column{withoutWidth(type), nullable}).second;
}

bool readKey(Clause clause, Table& table) {
    const bool primary = clause.take({"primary"});
    const bool unique = clause.take({"unique"});
    if (!clause.take({"key"})) return false;
    const std::string name = primary ? "primary" : clause.word();
    const auto columns = clause.inParentheses();
    if (!columns || !clause.atEnd()) return false;
    Key key{.unique = primary || unique, .columns = {}};
    for (Clause& column : columns->parts()) {
        key.columns.push_back(column.word());
        if (!column.atEnd()) return false;
    }
    return table.keys.emplace(name, std::move(key)).second;
}

bool readName(Clause clause, std::set<std::string>& names) {
    return names.insert(clause.word()).second && clause.atEnd();
}

bool readCreation(Clause clause, TableChange& change) {
    clause.take({"if", "not", "exists"});
    change.table = clause.word();
    const auto body = clause.inParentheses();
    return body && std::ranges::all_of(body->parts(), [&](const Clause& part) {
               const bool isKey =
                   part.startsWith({"primary"}) || part.startsWith({"unique"}) || part.startsWith({"key"});
               return isKey ? readKey(part, change.made) : readColumn(part, change.made);
           });
}

bool readAlteration(Clause clause, TableChange& change) {
    change.table = clause.word();
    return std::ranges::all_of(clause.parts(), [&](Clause part) {
        if (part.take({"add", "column"}) || part.take({"modify", "column"})) return readColumn(part, change.made);
        if (part.take({"drop", "column"})) return readName(part, change.goneColumns);
        if (part.take({"drop", "key"})) return readName(part, change.goneKeys);
        return part.take({"add"}) && readKey(part, change.made);
    });
}

std::optional<TableChange> tableChangeOf(const Words& statement) {
    Clause clause(statement);
    TableChange change;
    if (clause.take({"create", "table"}) && readCreation(clause, change)) return change;
    if (clause.take({"alter", "table"}) && readAlteration(clause, change)) return change;
    return std::nullopt;
}

Table tableOf(Connection& connection, const std::string& name) {
    Table table;
    for (const Row& row : connection.query("SELECT column_name, column_type, is_nullable"
                                           " FROM information_schema.columns"
                                           " WHERE table_schema = DATABASE() AND table_name = ?",
                                           {name})) {
        table.columns[lower(row.text(0))] = {withoutWidth(lower(row.text(1))), row.text(2) == "YES"};
    }
    for (const Row& row : connection.query("SELECT index_name, non_unique, COALESCE(column_name, '')"
                                           " FROM information_schema.statistics"
                                           " WHERE table_schema = DATABASE() AND table_name = ?"
                                           " ORDER BY index_name, seq_in_index",
                                           {name})) {
        Key& key = table.keys[lower(row.text(0))];
        key.unique = row.integer(1) == 0;
        key.columns.push_back(lower(row.text(2)));
    }
    return table;
}

template <typename Part>
bool hasAll(const std::map<std::string, Part>& found, const std::map<std::string, Part>& wanted) {
    return std::ranges::all_of(wanted, [&](const auto& part) {
        const auto at = found.find(part.first);
        return at != found.end() && at->second == part.second;
    });
}

// What a statement drops and makes again is there in the end.
template <typename Part>
bool hasNone(const std::map<std::string, Part>& found, const std::set<std::string>& gone,
             const std::map<std::string, Part>& made) {
    return std::ranges::none_of(gone,
                                [&](const std::string& name) { return found.contains(name) && !made.contains(name); });
}

}  // namespace

bool isInPlace(Connection& connection, std::string_view statement) {
    const auto change = tableChangeOf(wordsOf(statement));
    if (!change) return false;
    const Table table = tableOf(connection, change->table);
    return !table.columns.empty() && hasAll(table.columns, change->made.columns) &&
           hasAll(table.keys, change->made.keys) && hasNone(table.columns, change->goneColumns, change->made.columns) &&
           hasNone(table.keys, change->goneKeys, change->made.keys);
}

}  // namespace otpgate::db
