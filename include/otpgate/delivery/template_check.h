// Whether templates can be rendered: what stops the start, and what `otpgate templates check` prints.
#pragma once

#include "otpgate/delivery/template_files.h"

#include <vector>

namespace otpgate::delivery {

// In the order of the files. Finds what is missing, unknown names, unbalanced sections, a choice of sections that lacks
// one, a code in a subject, code messages without a code, and text that is not UTF-8.
std::vector<TemplateFinding> checkTemplates(const TemplateFiles& files);

}  // namespace otpgate::delivery
