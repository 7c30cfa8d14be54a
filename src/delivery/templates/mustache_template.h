// One template as kainjow-mustache has parsed it. Used by Templates; rendering is safe on any thread.
#pragma once

#include "otpgate/delivery/templates.h"

#include <memory>
#include <string>

namespace otpgate::delivery {

enum class HtmlEscaping { None, Html };

class MustacheTemplate {
public:
    // Without partials and lambdas. Throws std::invalid_argument for what is no template.
    MustacheTemplate(const std::string& text, HtmlEscaping escaping);
    ~MustacheTemplate();
    MustacheTemplate(const MustacheTemplate&) = delete;
    MustacheTemplate& operator=(const MustacheTemplate&) = delete;

    std::string render(const TemplateValues& values) const;

private:
    struct Parsed;
    std::unique_ptr<Parsed> parsed_;
};

}  // namespace otpgate::delivery
