// What OtpMetrics have counted, as text to compare.
#pragma once

#include "otpgate/domain/otp_metrics.h"

#include <sstream>
#include <string>
#include <vector>

namespace otpgate::test {

inline std::string lines(const std::vector<std::string>& list) {
    std::string text;
    for (const std::string& line : list) text += line + "\n";
    return text;
}

// A line for each series that is not zero, in the order of the metrics.
inline std::string counted(const domain::OtpMetrics& metrics) {
    MetricsText text;
    metrics.write(text);
    std::istringstream written(text.take());
    std::vector<std::string> found;
    for (std::string line; std::getline(written, line);) {
        if (!line.starts_with('#') && !line.ends_with(" 0")) found.push_back(line);
    }
    return lines(found);
}

}  // namespace otpgate::test
