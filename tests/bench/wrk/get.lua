-- One question again and again. Arguments: the path, and an access token or nothing.
dofile("common.lua")

local text

function init(args)
    local token = args[2] and "Authorization: Bearer " .. args[2] .. "\r\n" or ""
    text = "GET " .. args[1] .. " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\n" .. token .. "\r\n"
end

function request()
    return text
end
