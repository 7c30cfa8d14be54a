-- Shows each code of a file once. Arguments: a number that makes this run's clients differ, and the file of "ID CODE
-- DEVICE-TOKEN" lines, where the last may be empty.
dofile("common.lua")

local path = "/api/v1/auth/otp/verify"
local form = '{"otp_id":"%s","otp":"%s","platform":"web","device_name":"Firefox on Linux"%s}'
local lines

function init(args)
    math.randomseed(tonumber(args[1]))
    lines = io.lines(args[2])
end

function request()
    local line = lines and lines()
    if not line then
        lines = nil
        return stop()
    end
    local id, code, token = line:match("^(%S+) (%S+) (%S*)$")
    local device = token == "" and "" or string.format(',"device_token":"%s"', token)
    return post(path, random_client(), string.format(form, id, code, device))
end
