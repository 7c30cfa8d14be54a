// What the owner says of the pages: [page] of the settings. An empty text says nothing.
#pragma once

#include "otpgate/domain/return_targets.h"

#include <string>
#include <vector>

namespace otpgate::api {

struct PageSettings {
    std::string name = {};        // of the service, as people read it
    std::string accent = {};      // #rrggbb
    std::string logo = {};        // a file of the owner's folder
    std::string stylesheet = {};  // the same
    std::string privacyUrl = {};
    std::string imprintUrl = {};
    std::string supportUrl = {};
    std::vector<domain::Application> applications = {};  // that visitors are sent back to
};

}  // namespace otpgate::api
