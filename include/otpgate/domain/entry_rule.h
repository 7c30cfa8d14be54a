// Who may enter a site that we protect: the words that stand beside its location in the web server's settings
// (etc/doc/protect.md). Decided from a session and its user alone.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/domain/session_store.h"
#include "otpgate/domain/sign_up_rule.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

enum class Entry { Granted, Denied, LevelTooLow, SignInTooOld };

class EntryRule {
public:
    // Words by blanks, all of which must hold, so that a rule of a whole site and one of a path in it can be written
    // one behind the other: `anybody` (who is signed in), `role=admin`, `within=15m` (of the sign-in; units as in the
    // settings), `people=example.com,*.example.org,ann@example.com,+4930123456` (who has proved an address of one of
    // these domains, or one of these addresses or numbers), `group=editors,staff` (who is in one of them), `aal2` (who
    // has shown two factors). nullopt for any other word, and for a rule that does not say who: what is misspelt or
    // forgotten lets nobody in.
    static std::optional<EntryRule> parse(std::string_view text);

    Entry decide(const AuthenticatedSession& visitor, Timestamp now) const;
    // How old the sign-in may be, where the rule says it.
    std::optional<std::chrono::seconds> within() const { return within_; }
    bool needsTwoFactors() const { return needsTwoFactors_; }

private:
    bool read(std::string_view word);
    bool readPeople(std::string_view list);
    bool readGroups(std::string_view list);
    bool readWithin(std::string_view text);
    bool isFor(const User& user) const;

    bool saysWho_ = false;
    bool isForAdmins_ = false;
    bool needsTwoFactors_ = false;
    std::vector<SignUpRule> people_;                // each allows whoever enters
    std::vector<std::vector<std::string>> groups_;  // of each, whoever enters is in one
    std::optional<std::chrono::seconds> within_;
};

}  // namespace otpgate::domain
