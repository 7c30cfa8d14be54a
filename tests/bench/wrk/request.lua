-- Asks for a code for a destination that nobody else asks for. Argument: a number that makes this run's differ.
dofile("common.lua")

local path = "/api/v1/auth/otp/request"
local run, count = 0, 0

function init(args)
    run = tonumber(args[1])
    math.randomseed(run)
end

function request()
    count = count + 1
    -- The random part in front spreads the addresses over the whole index.
    local body = string.format('{"destination":"u%06x.%d.%d@example.com","purpose":"login","locale":"en-US"}', math.random(0, 0xffffff), run, count)
    return post(path, random_client(), body)
end
