// otpgate import-django: users of a Django site, with their passwords.
#include "cli/commands.h"
#include "cli/django_user.h"
#include "cli/json_elements.h"
#include "cli/user_import.h"

namespace otpgate::cli {

int importDjango(const Invocation& invocation) {
    const StaffAre staff = invocation.has("--admins") ? StaffAre::Admins : StaffAre::Users;
    UserImport import(invocation, "row");
    JsonElements elements(import.in());
    std::size_t index = 0;
    const auto next = [&]() -> std::optional<UserImport::Row> {
        auto element = elements.next();
        if (!element) return std::nullopt;
        return UserImport::Row{index++, std::move(*element)};
    };
    return import.run(next, [&](const std::string& text, Timestamp now) {
        return parseDjangoUser(text, staff, import.validation(), now);
    });
}

}  // namespace otpgate::cli
