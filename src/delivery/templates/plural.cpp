#include "delivery/templates/plural.h"

#include "otpgate/base/text.h"

#include <algorithm>
#include <array>
#include <string>

namespace otpgate::delivery {

namespace {

using Categories = std::vector<std::string_view>;

std::string languageOf(std::string_view locale) {
    return toLower(locale.substr(0, locale.find('-')));
}

std::string_view always(unsigned long) {
    return "other";
}

std::string_view likeEnglish(unsigned long n) {
    return n == 1 ? "one" : "other";
}

std::string_view likeFrench(unsigned long n) {
    return n <= 1 ? "one" : "other";
}

std::string_view likeArabic(unsigned long n) {
    if (n == 1) return "one";
    if (n == 2) return "two";
    const auto rest = n % 100;
    if (rest >= 3 && rest <= 10) return "few";
    return rest >= 11 ? "many" : "other";
}

std::string_view likeHebrew(unsigned long n) {
    return n == 1 ? "one" : n == 2 ? "two" : "other";
}

std::string_view likeCzech(unsigned long n) {
    return n == 1 ? "one" : n >= 2 && n <= 4 ? "few" : "other";
}

bool endsInTwoToFour(unsigned long n) {
    return n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14);
}

std::string_view likePolish(unsigned long n) {
    return n == 1 ? "one" : endsInTwoToFour(n) ? "few" : "many";
}

std::string_view likeRussian(unsigned long n) {
    return n % 10 == 1 && n % 100 != 11 ? "one" : endsInTwoToFour(n) ? "few" : "many";
}

std::string_view likeSerbian(unsigned long n) {
    return n % 10 == 1 && n % 100 != 11 ? "one" : endsInTwoToFour(n) ? "few" : "other";
}

struct Rule {
    std::string_view languages;
    std::string_view (*category)(unsigned long);
    Categories categories;
};

// Of Unicode's plural rules (CLDR 42), those of the languages that people are likely to write templates in. The last
// one is for all others.
const Rule& ruleOf(std::string_view locale) {
    static const std::array<Rule, 9> kRules{{
        {" ja zh ko vi th id ms ", &always, {"other"}},
        {" fr pt hi fa bn ", &likeFrench, {"one", "other"}},
        {" ar ", &likeArabic, {"one", "two", "few", "many", "other"}},
        {" he ", &likeHebrew, {"one", "two", "other"}},
        {" cs sk ", &likeCzech, {"one", "few", "other"}},
        {" pl ", &likePolish, {"one", "few", "many"}},
        {" ru uk be ", &likeRussian, {"one", "few", "many"}},
        {" sr hr bs ", &likeSerbian, {"one", "few", "other"}},
        {"", &likeEnglish, {"one", "other"}},
    }};
    const std::string word = " " + languageOf(locale) + " ";
    const auto* const found = std::find_if(kRules.begin(), kRules.end() - 1, [&](const Rule& rule) {
        return rule.languages.find(word) != std::string_view::npos;
    });
    return *found;
}

}  // namespace

std::string_view pluralCategory(std::string_view locale, unsigned long number) {
    return ruleOf(locale).category(number);
}

const Categories& pluralCategories(std::string_view locale) {
    return ruleOf(locale).categories;
}

bool isRightToLeft(std::string_view locale) {
    return std::string_view{" ar dv fa he ps sd ug ur yi "}.find(" " + languageOf(locale) + " ") !=
           std::string_view::npos;
}

}  // namespace otpgate::delivery
