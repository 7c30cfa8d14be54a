// What was found out about an installation, a sentence each: by `otpgate doctor` and `otpgate setup`, and for
// administrators.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace otpgate {

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

    // In the order of looking.
    const std::vector<Finding>& all() const { return findings_; }
    // Nothing is wrong; there may be doubts.
    bool areWell() const;

private:
    std::vector<Finding> findings_;
};

}  // namespace otpgate
