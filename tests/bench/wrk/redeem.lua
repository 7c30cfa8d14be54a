-- Redeems each code of a file once. Arguments: the path, and the file of forms, one a line.
dofile("common.lua")

local head
local lines

function init(args)
    head = "POST " .. args[1] .. " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] ..
        "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "
    lines = io.lines(args[2])
end

function request()
    local line = lines and lines()
    if not line then
        lines = nil
        return stop()
    end
    return head .. #line .. "\r\n\r\n" .. line
end
