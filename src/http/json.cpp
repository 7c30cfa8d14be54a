#include "otpgate/http/json.h"

#include "http/media_type.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/http/errors.h"

#include <Poco/JSON/Handler.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <variant>

namespace otpgate::http {

namespace {

[[noreturn]] void refuse(const char* reason) {
    throw ApiError(ErrorCode::MalformedJson, reason);
}

// What must not reach Poco's parser, which recurses once for each level, lets NUL through, and throws on numbers that
// are valid but do not fit. Everything else of the grammar is Poco's to check.
class PreScan {
public:
    explicit PreScan(std::string_view text) : text_(text) { safe_.reserve(text.size()); }

    // The text with numbers that no type of ours can hold shortened, so that they reach the handler as fractions.
    // `numbers` gets all of them as they came.
    std::string run(std::vector<std::string>& numbers) {
        if (!isValidUtf8(text_)) refuse("not UTF-8");
        if (text_.find('\0') != std::string_view::npos) refuse("a NUL byte");
        const std::size_t first = text_.find_first_not_of(" \t\r\n");
        if (first == std::string_view::npos || text_[first] != '{') refuse("not an object");
        for (std::size_t i = 0; i < text_.size();) i = copyToken(i);
        numbers = std::move(numbers_);
        return std::move(safe_);
    }

private:
    // Copies the token that begins at `i` and returns where the next one does.
    std::size_t copyToken(std::size_t i) {
        const char c = text_[i];
        if (c == '"') return copyString(i);
        if (c == '-' || isDigit(c)) return copyNumber(i);
        if ((c == '{' || c == '[') && ++depth_ > kMaxJsonDepth) refuse("too deep");
        if (c == '}' || c == ']') --depth_;
        safe_ += c;
        return i + 1;
    }

    std::size_t copyString(std::size_t begin) {
        std::size_t i = begin + 1;
        while (i < text_.size() && text_[i] != '"') {
            if (text_[i] == '\\') {
                if (text_.substr(i, 6) == "\\u0000") refuse("a NUL character");
                ++i;
            }
            ++i;
        }
        if (i >= text_.size()) refuse("an unterminated string");
        safe_ += text_.substr(begin, i + 1 - begin);
        return i + 1;
    }

    std::size_t copyNumber(std::size_t begin) {
        const std::size_t end = std::min(text_.find_first_not_of("+-.0123456789eE", begin), text_.size());
        const std::string_view token = text_.substr(begin, end - begin);
        numbers_.emplace_back(token);
        const bool isInteger = token.find_first_of(".eE") == std::string_view::npos;
        std::int64_t number = 0;
        const auto error = std::from_chars(token.data(), token.data() + token.size(), number).ec;
        if (isInteger && error != std::errc::result_out_of_range) {
            safe_ += token;
            return end;
        }
        // Two digits of each run keep the grammar as it was, a leading zero's mistake included.
        std::size_t run = 0;
        for (const char c : token) {
            run = isDigit(c) ? run + 1 : 0;
            if (run <= 2) safe_ += c;
        }
        if (isInteger) safe_ += ".0";
        return end;
    }

    std::string_view text_;
    std::string safe_;
    std::vector<std::string> numbers_;
    int depth_ = 0;
};

struct Fraction {};    // a number that is not an int64
struct OtherValue {};  // an array that does not hold strings only
struct Object {
    std::string text;
};
using Strings = std::vector<std::string>;
using Value = std::variant<bool, std::int64_t, Fraction, std::string, Strings, Object, OtherValue>;
using Members = std::map<std::string, Value, std::less<>>;

// Collects the members of the outermost object, and refuses a key that comes twice at any depth. A member that is an
// object is written anew as it comes, its numbers with the digits that they had.
class MemberHandler final : public Poco::JSON::Handler {
public:
    MemberHandler(Members& members, const std::vector<std::string>& numbers)
        : members_(members),
          nextNumber_(numbers.begin()) {}

    void reset() override {}
    void startObject() override {
        if (depth_ == 1) beginCopy();
        if (depth_ > 1) put(OtherValue{});
        if (isCopying_) copy_.beginObject();
        keys_.emplace_back();
        ++depth_;
    }
    void endObject() override {
        keys_.pop_back();
        --depth_;
        if (isCopying_) copy_.endObject();
        if (depth_ == 1) endCopy();
    }
    void startArray() override {
        put(Strings{});
        if (isCopying_) copy_.beginArray();
        ++depth_;
    }
    void endArray() override {
        --depth_;
        if (isCopying_) copy_.endArray();
    }
    void key(const std::string& name) override {
        if (!keys_.back().insert(name).second) refuse("a key twice");
        if (depth_ == 1) key_ = name;
        if (isCopying_) copy_.key(name);
    }
    void null() override {
        // A null member is as good as none, but a null in a list is not a string.
        if (depth_ > 1) put(OtherValue{});
        if (isCopying_) copy_.null();
    }
    void value(int) override { putNumber(); }
    void value(unsigned) override { putNumber(); }
    void value(Poco::Int64) override { putNumber(); }
    void value(Poco::UInt64) override { putNumber(); }
    void value(double) override { putNumber(); }
    void value(bool flag) override {
        put(flag);
        if (isCopying_) copy_.value(flag);
    }
    void value(const std::string& text) override {
        put(text);
        if (isCopying_) copy_.value(text);
    }

private:
    // By its own digits, not by Poco's number: it reads negative ones beyond 2^53 as doubles, which lose the last
    // digit.
    void putNumber() {
        const auto number = parseNumber<std::int64_t>(*nextNumber_);
        put(number ? Value{*number} : Value{Fraction{}});
        if (isCopying_) copy_.raw(*nextNumber_);
        ++nextNumber_;
    }

    void put(Value value) {
        if (depth_ == 1) {
            members_[key_] = std::move(value);
            return;
        }
        // Inside a member: only the strings of a list are kept, and only right below it.
        Value& member = members_[key_];
        auto* list = std::get_if<Strings>(&member);
        if (list == nullptr) return;
        auto* text = std::get_if<std::string>(&value);
        if (depth_ == 2 && text != nullptr) {
            list->push_back(std::move(*text));
        } else {
            member = OtherValue{};
        }
    }

    void beginCopy() {
        put(Object{});
        copy_ = {};
        isCopying_ = true;
    }
    void endCopy() {
        isCopying_ = false;
        members_[key_] = Object{copy_.take()};
    }

    Members& members_;
    std::vector<std::string>::const_iterator nextNumber_;
    std::vector<std::set<std::string>> keys_;  // of each object that is open
    std::string key_;                          // of the outermost object
    int depth_ = 0;
    bool isCopying_ = false;  // inside a member that is an object
    JsonWriter copy_;
};

Members parseMembers(std::string_view body) {
    std::vector<std::string> numbers;
    const std::string text = PreScan(body).run(numbers);
    Members members;
    try {
        Poco::JSON::Parser parser(new MemberHandler(members, numbers));
        parser.parse(text);
    } catch (const Poco::Exception&) {
        // Its text quotes the body, which may hold a password or a code, so not even the log gets it.
        refuse("a syntax error");
    }
    return members;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> readTexts(std::string_view json) {
    std::vector<std::pair<std::string, std::string>> texts;
    try {
        for (auto& [name, content] : parseMembers(json)) texts.emplace_back(name, std::get<std::string>(content));
    } catch (const ApiError& error) {
        throw std::logic_error("no JSON object: " + error.logDetail());
    } catch (const std::bad_variant_access&) {
        throw std::logic_error("a member of a JSON object of texts is none");
    }
    return texts;
}

struct JsonBody::State {
    Members members;
    std::vector<FieldError> invalid;
    std::vector<std::string> missing;

    // The member, unless it is absent or of another type, which is noted.
    template <typename T>
    T* find(JsonBody& body, std::string_view name, std::string_view expected) {
        const auto found = members.find(name);
        if (found == members.end()) return nullptr;
        T* content = std::get_if<T>(&found->second);
        if (content == nullptr) body.noteInvalid(name, expected);
        return content;
    }
};

JsonBody::JsonBody(const Request& request) : state_(std::make_unique<State>()) {
    if (!hasMediaType(request.contentType, "application/json")) throw ApiError(ErrorCode::UnsupportedMediaType);
    if (request.body.size() > kMaxBodyBytes) throw ApiError(ErrorCode::PayloadTooLarge);
    state_->members = parseMembers(request.body);
}

JsonBody::~JsonBody() = default;

std::optional<std::string> JsonBody::string(std::string_view name, std::size_t maxBytes) {
    const auto* text = state_->find<std::string>(*this, name, "must be a string");
    if (text == nullptr) return std::nullopt;
    if (text->size() > maxBytes) {
        noteInvalid(name, "must be at most " + std::to_string(maxBytes) + " bytes long");
        return std::nullopt;
    }
    return *text;
}

std::optional<std::string> JsonBody::hint(std::string_view name) const {
    const auto found = state_->members.find(name);
    const auto* text = found == state_->members.end() ? nullptr : std::get_if<std::string>(&found->second);
    return text == nullptr ? std::nullopt : std::optional{*text};
}

std::optional<std::int64_t> JsonBody::integer(std::string_view name) {
    const auto* number = state_->find<std::int64_t>(*this, name, "must be an integer");
    return number == nullptr ? std::nullopt : std::optional{*number};
}

std::optional<bool> JsonBody::boolean(std::string_view name) {
    const auto* flag = state_->find<bool>(*this, name, "must be true or false");
    return flag == nullptr ? std::nullopt : std::optional{*flag};
}

std::optional<std::vector<std::string>> JsonBody::strings(std::string_view name) {
    const auto* list = state_->find<Strings>(*this, name, "must be a list of strings");
    return list == nullptr ? std::nullopt : std::optional{*list};
}

std::optional<std::string> JsonBody::object(std::string_view name, std::size_t maxBytes) {
    const auto* object = state_->find<Object>(*this, name, "must be an object");
    if (object == nullptr) return std::nullopt;
    if (object->text.size() > maxBytes) {
        noteInvalid(name, "must be at most " + std::to_string(maxBytes) + " bytes of JSON");
        return std::nullopt;
    }
    return object->text;
}

bool JsonBody::has(std::string_view name) const {
    return state_->members.find(name) != state_->members.end();
}

std::string JsonBody::requiredString(std::string_view name, std::size_t maxBytes) {
    if (!has(name)) noteMissing(name);
    return string(name, maxBytes).value_or("");
}

void JsonBody::noteInvalid(std::string_view name, std::string_view message) {
    state_->invalid.push_back({std::string{name}, std::string{message}});
}

void JsonBody::noteMissing(std::string_view name) {
    state_->missing.emplace_back(name);
}

void JsonBody::rejectInvalid() const {
    if (state_->invalid.empty() && state_->missing.empty()) return;
    ApiError error(state_->invalid.empty() ? ErrorCode::MissingFields : ErrorCode::ValidationError);
    for (const FieldError& field : state_->invalid) error.field(field.field, field.message);
    for (const std::string& name : state_->missing) error.field(name, "is required");
    throw error;
}

}  // namespace otpgate::http
