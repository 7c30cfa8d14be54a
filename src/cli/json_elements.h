// Reads a file that is one JSON array, however large, element by element. Knows only as much of JSON as tells where an
// element ends; whoever parses the elements finds what is wrong inside of them.
#pragma once

#include <cstddef>
#include <istream>
#include <optional>
#include <string>

namespace otpgate::cli {

class JsonElements {
public:
    // Throws std::runtime_error, here and in next(), for what is not one array: the sentence says where.
    explicit JsonElements(std::istream& in);
    // The text of the next element; nullopt after the last.
    std::optional<std::string> next();

private:
    int skipSpace();  // the first character that is not one, or EOF; stays
    std::string readElement();
    void finish();

    std::streambuf& in_;
    std::size_t count_ = 0;
};

}  // namespace otpgate::cli
