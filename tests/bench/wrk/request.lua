-- Asks for a code for a destination that nobody else asks for. Arguments: a number that makes this run's differ, a file
-- that is not read, and the address of the client, where all requests are to come from one.
dofile("common.lua")

local path = "/api/v1/auth/otp/request"
local form = '{"destination":"u%06x.%d.%d@example.com","purpose":"login","locale":"en-US"}'
local run, count = 0, 0
local client

function init(args)
    run = tonumber(args[1])
    if args[3] ~= "" then client = args[3] end
    math.randomseed(run)
end

function request()
    count = count + 1
    -- The random part in front spreads the addresses over the whole index.
    return post(path, client or random_client(), string.format(form, math.random(0, 0xffffff), run, count))
end
