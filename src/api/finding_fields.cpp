#include "api/finding_fields.h"

namespace otpgate::api {

void writeFindings(http::JsonWriter& json, const Findings& findings) {
    json.beginObject().member("well", findings.areWell()).key("findings").beginArray();
    for (const Finding& finding : findings.all()) {
        json.beginObject()
            .member("check", finding.check)
            .member("level", toString(finding.level))
            .member("what", finding.what)
            .member("why", finding.why)
            .member("todo", finding.todo)
            .endObject();
    }
    json.endArray().endObject();
}

}  // namespace otpgate::api
