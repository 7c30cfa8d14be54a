// The settings of the owner's page, read from a file and the environment. What is wrong is a ConfigurationError.
#pragma once

#include "otpgate/api/page_settings.h"
#include "otpgate/base/settings_reader.h"

#include <string>

namespace otpgate {

// `publicUrl`: its host is the name where none is set.
api::PageSettings readPage(SettingsReader& reader, const std::string& publicUrl);

}  // namespace otpgate
