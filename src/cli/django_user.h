// One object of Django's `dumpdata`, read as a user: auth.user, or a model of one's own with the fields that such
// models usually have.
#pragma once

#include "cli/import_row.h"

#include <optional>
#include <string>

namespace otpgate::cli {

enum class StaffAre { Users, Admins };

// nullopt for an object of another model. The time of joining is `now` where the row has none. Throws BadRow.
std::optional<ImportRow> parseDjangoUser(const std::string& json, StaffAre staff, domain::EmailValidation validation,
                                         Timestamp now);

}  // namespace otpgate::cli
