-- The verbs of a token store in Redis or Valkey, each one atomic call. ARGV[1] is the verb, ARGV[2] a clock for tests (""
-- is the server's own), ARGV[3] what all keys begin with; what follows is the verb's.
--
-- token:<name>    version, record (packed), which attempt put them there;  <name>
--                 is the application, a zero byte, and the character in 20 digits
-- index           all names, in their order
-- lease:<name>    holder, until when

local root = ARGV[3]
local index = root .. 'index'
local verbs = {}

-- Gives version and record, or nothing.
function verbs.load(name)
  local found = redis.call('HMGET', root .. 'token:' .. name, 'version', 'record')
  return found[1] and found[2] and found
end

-- A version is "" for none. Gives whether it was done.
function verbs.save(name, expected, version, record, attempt)
  local key = root .. 'token:' .. name
  local found = redis.call('HMGET', key, 'version', 'attempt')
  if (found[1] or '') ~= expected then
    return found[2] == attempt and 1 or 0 -- the same attempt: it was done, but its answer did not arrive
  end
  if version == '' then
    redis.call('DEL', key)
    redis.call('ZREM', index, name)
  else
    redis.call('HSET', key, 'version', version, 'record', record, 'attempt', attempt)
    redis.call('ZADD', index, 0, name)
  end
  return 1
end

-- Gives the last name that was looked at, and of each that is still there its name, version and record.
function verbs.list(after, before, count)
  local names = redis.call('ZRANGEBYLEX', index, after, before, 'LIMIT', 0, count)
  local answer = { names[#names] or '' }
  for _, name in ipairs(names) do
    local found = verbs.load(name)
    if found then
      answer[#answer + 1] = { name, found[1], found[2] }
    end
  end
  return answer
end

function verbs.lease(name, holder, seconds)
  local now = tonumber(ARGV[2])
  if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) + tonumber(time[2]) / 1000000
  end
  local key = root .. 'lease:' .. name
  local found = redis.call('HMGET', key, 'holder', 'until')
  local held = found[2] and tonumber(found[2]) > now
  if held and found[1] ~= holder then
    return 0
  end
  seconds = tonumber(seconds)
  if seconds <= 0 then
    redis.call('DEL', key)
    return held and 1 or 0
  end
  redis.call('HSET', key, 'holder', holder, 'until', string.format('%.17g', now + seconds))
  redis.call('PEXPIRE', key, math.ceil(seconds * 1000) + 1000)
  return 1
end

return verbs[ARGV[1]](unpack(ARGV, 4))
