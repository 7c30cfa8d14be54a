// What `otpgate doctor` and `otpgate setup` have found, a sentence each, for people and as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace otpgate::cli {

struct Finding {
    enum class Level { Good, Doubtful, Wrong };
    std::string check;  // what was looked at: "socket"
    Level level = Level::Good;
    std::string what;
    std::string why;   // it matters; empty where it is good
    std::string todo;  // what to do about it; empty where it is good
};

std::string_view toString(Finding::Level level);

class Findings {
public:
    void good(std::string_view check, std::string what);
    void doubtful(std::string_view check, std::string what, std::string why, std::string todo);
    void wrong(std::string_view check, std::string what, std::string why, std::string todo);

    const std::vector<Finding>& all() const { return findings_; }
    // Nothing is wrong; there may be doubts.
    bool areWell() const;
    // What is wrong first, then the doubts, then what is good.
    std::string toText() const;
    // {"well": true, "findings": [{"check", "level", "what", "why", "todo"}]}, in the order of looking.
    std::string toJson() const;

private:
    std::vector<Finding> findings_;
};

}  // namespace otpgate::cli
