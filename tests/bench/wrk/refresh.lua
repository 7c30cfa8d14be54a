-- Refreshes sessions and follows their rotation: a token waits here, or is under way, never both. Arguments: a number
-- that nothing depends on, and the file of "CLIENT TOKEN" lines, one more than there are connections, because wrk tries
-- request() once before it begins.
dofile("common.lua")

local path = "/api/v1/auth/token/refresh"
local waiting, sessions = {}, {}
local first, last = 1, 0

local function put(token)
    last = last + 1
    waiting[last] = token
end

function init(args)
    for line in io.lines(args[2]) do
        local client, token = line:match("^(%S+) (%S+)$")
        sessions[token:sub(1, 21)] = client
        put(token)
    end
end

function request()
    local token = waiting[first]
    if not token then return stop() end
    waiting[first] = nil
    first = first + 1
    return post(path, sessions[token:sub(1, 21)], string.format('{"refresh":"%s"}', token))
end

-- The first 21 characters are the session's id: they do not change.
function response(status, headers, body)
    local token = body:match('"refresh":"([^"]+)"')
    if token then put(token) end
end
