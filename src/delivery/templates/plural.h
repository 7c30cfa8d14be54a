// Which form of a noun stands with a number: the plural categories of CLDR for whole numbers. Templates have a section
// for each that their language knows. Used by the composer and the check of templates.
#pragma once

#include <string_view>
#include <vector>

namespace otpgate::delivery {

// "one", "two", "few", "many" or "other". A language that is not known here is taken for one like English.
std::string_view pluralCategory(std::string_view locale, unsigned long number);
// Those that the language has.
const std::vector<std::string_view>& pluralCategories(std::string_view locale);

// Whether the language is written from right to left.
bool isRightToLeft(std::string_view locale);

}  // namespace otpgate::delivery
