// The tags of a template with their lines: what `otpgate templates check` and the start look at. kainjow-mustache
// parses too, but tells no line and lets unknown names pass.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace otpgate::delivery {

struct TemplateTag {
    enum class Type {
        Variable,
        Section,          // {{#name}}
        InvertedSection,  // {{^name}}
        End,              // {{/name}}
        Partial,          // {{> name}}
        Comment,
        Unescaped,   // {{{name}}}, {{&name}}: not for us
        Delimiters,  // {{=<% %>=}}: not for us
        Unclosed     // no }} follows
    };
    Type type = Type::Variable;
    std::string_view name;
    unsigned line = 1;
};

std::vector<TemplateTag> readTags(std::string_view text);

}  // namespace otpgate::delivery
