-- What the scripts share: requests as text, because wrk.format() is much slower, and the result as one line. wrk is
-- started in this folder with one thread, so that one Lua state sees every request.
local template = table.concat({
    "POST %s HTTP/1.1",
    "Host: localhost",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "X-Forwarded-For: %s",
    "Content-Type: application/json",
    "Content-Length: %d",
    "", "%s"}, "\r\n")

function post(path, client, body)
    return string.format(template, path, client, #body, body)
end

-- An address out of 16 million, so that the limit of each holds by itself.
function random_client()
    return string.format("10.%d.%d.%d", math.random(0, 255), math.random(0, 255), math.random(0, 255))
end

-- Nothing is left to send. wrk has no other way to end early; what is in flight is lost, as at the end of every run.
function stop()
    wrk.thread:stop()
    return ""
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        'RESULT {"seconds":%.6f,"requests":%d,"p50_us":%d,"p99_us":%d,"bad_status":%d,"broken":%d}\n',
        summary.duration / 1e6, summary.requests, latency:percentile(50), latency:percentile(99),
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
