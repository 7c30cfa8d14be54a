-- For otpgate_visitor_proxy.conf. Some programs take every sign of a field's name that is neither letter nor digit for one and the
-- same, so that X.Auth.User is X-Auth-User to them. No field of such a name can be removed by Apache's own directives, which want
-- whole names: whoever sends one is refused.
require "apache2"

function refuse_odd_names(request)
    for name in pairs(request:headers_in_table()) do
        if name:find("[^%w_-]") then
            return 400
        end
    end
    return apache2.DECLINED
end
