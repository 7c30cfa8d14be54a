// /api/v1/admin/groups, and who is in them.
#include "api/admin_fields.h"
#include "api/views.h"
#include "otpgate/http/errors.h"

namespace otpgate::api {

namespace {

using http::ApiError;
using http::ErrorCode;

std::optional<std::string> groupIn(const http::Request& request) {
    return domain::parseGroupName(request.pathParameters.at("group"));
}

// What can be no group's name names none.
std::string groupOf(const http::Request& request) {
    auto group = groupIn(request);
    if (!group) throw ApiError(ErrorCode::NotFound);
    return std::move(*group);
}

http::Response setMembership(const http::Request& request, const Administrator& caller, domain::Administration& people,
                             bool isMember) {
    return answerOf(people.setMembership(idOf(request), groupOf(request), isMember, actingClient(request, caller)));
}

}  // namespace

http::Response listGroups(const http::Request&, const Administrator&, domain::Administration& people) {
    http::JsonWriter json;
    json.beginObject().key("groups").beginArray();
    for (const domain::UserGroup& group : people.groups()) {
        json.beginObject()
            .member("name", group.name)
            .member("members", group.members)
            .member("created_at", formatRfc3339(group.createdAt))
            .endObject();
    }
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response createGroup(const http::Request& request, const Administrator& caller, domain::Administration& people) {
    const auto group = groupIn(request);
    if (!group) throw ApiError(ErrorCode::ValidationError).field("group", "must be 1 to 64 of a-z, 0-9, dot, _ and -");
    return answerOf(people.createGroup(*group, actingClient(request, caller)));
}

http::Response removeGroup(const http::Request& request, const Administrator& caller, domain::Administration& people) {
    const auto outcome = people.removeGroup(groupOf(request), actingClient(request, caller));
    if (outcome == domain::AdminOutcome::TooMany) {
        throw ApiError(ErrorCode::Conflict)
            .detail("The group has more than " + std::to_string(domain::kMostMembersToRemove) +
                    " members. Remove it by the command otpgate group delete.");
    }
    return answerOf(outcome);
}

http::Response listMembers(const http::Request& request, const Administrator&, domain::Administration& people) {
    const unsigned limit = limitOf(request);
    const auto members = people.members(groupOf(request), idCursorOf(request), limit);
    if (!members) throw ApiError(ErrorCode::NotFound);
    http::JsonWriter json;
    json.beginObject().key("members").beginArray();
    for (const domain::User& user : *members) writeUser(json, user);
    json.endArray();
    writeNextCursor(json, members->size() == limit ? std::optional{members->back().id.toString()} : std::nullopt);
    json.endObject();
    return jsonResponse(200, json);
}

http::Response joinGroup(const http::Request& request, const Administrator& caller, domain::Administration& people) {
    return setMembership(request, caller, people, true);
}

http::Response leaveGroup(const http::Request& request, const Administrator& caller, domain::Administration& people) {
    return setMembership(request, caller, people, false);
}

}  // namespace otpgate::api
