// Where a visitor may be sent on to after the sign-in: the answer to every `return_to` that somebody puts into a link.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// An application that visitors come from.
struct Application {
    std::string name;    // as people read it
    std::string origin;  // https://wiki.example.com, in lower case, without a slash at its end
};

struct ReturnTarget {
    std::string url;  // absolute, of one of the origins
    std::string name;
};

class ReturnTargets {
public:
    // `own` is this service itself, by its public URL.
    ReturnTargets(Application own, std::vector<Application> others);

    // An address of one of the applications, or a path (`/private/`) of this host. nullopt for anything else: other
    // origins and schemes, user names, other ports, and whatever a browser could read otherwise than we do (blanks,
    // controls, backslashes, bytes beyond ASCII).
    std::optional<ReturnTarget> find(std::string_view text) const;

    // The application that is exactly this origin, in either case; this service itself is one. Null: none is.
    const Application* application(std::string_view origin) const;
    const Application& own() const { return applications_.front(); }

private:
    std::vector<Application> applications_;  // the own one first
};

}  // namespace otpgate::domain
