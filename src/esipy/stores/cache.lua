-- The cache's verbs in Redis or Valkey, each one atomic call. ARGV[1] is the verb, ARGV[2] a clock for tests ("" is the
-- server's own), ARGV[3] what all keys begin with; what follows is the verb's. HEAD_BYTES, ENTRY_BYTES, KEEP_SECONDS and
-- FENCE_SECONDS are put before this text.
--
-- answer:<name>       HEAD: place, its generation, token, until when it is fresh (below 0: never was); then the data
-- place:<era><place>  a generation: answers that bear another one are dropped. No key: all are
-- era                 likewise for all places
-- index, sizes        answers by last use; what each takes, and all together (the field "")
-- claim:<name>        a token;  token: the last one;  drop:<place>: the token at its last drop, drop: of all

local HEAD = '>c20c16dd'
local verbs = {}

local root = ARGV[3]
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local index, sizes = root .. 'index', root .. 'sizes'

local function exact(value)
  return string.format('%.17g', value)
end

local function milliseconds(seconds)
  return math.max(math.ceil(seconds * 1000), 1)
end

local function forget(name) -- a verb, too
  redis.call('UNLINK', root .. 'answer:' .. name)
  redis.call('ZREM', index, name)
  local size = redis.call('HGET', sizes, name)
  if size then
    redis.call('HDEL', sizes, name)
    redis.call('HINCRBY', sizes, '', -tonumber(size))
  end
end

verbs.forget = forget

local function next_token()
  local last = tonumber(redis.call('GET', root .. 'token') or 0)
  local token = string.format('%.0f', math.max(math.floor(now * 1000000), last + 1))
  redis.call('SET', root .. 'token', token, 'PX', milliseconds(KEEP_SECONDS))
  return token
end

local function generation(place)
  local era = redis.call('GET', root .. 'era')
  return era and redis.call('GET', root .. 'place:' .. era .. place)
end

local function begin(key, new)
  redis.call('SET', key, new, 'NX')
  redis.call('PEXPIRE', key, milliseconds(KEEP_SECONDS))
  return redis.call('GET', key)
end

-- Gives the time, until when it is fresh, and the data.
function verbs.get(name)
  local value = redis.pcall('GET', root .. 'answer:' .. name) -- which fails if it is not even a string
  if type(value) == 'string' and #value >= HEAD_BYTES then
    local place, born, _, ends = struct.unpack(HEAD, value)
    if generation(place) == born and redis.call('ZSCORE', index, name) then
      redis.pcall('ZADD', index, 'XX', exact(now), name) -- a server without memory, or a replica, still answers
      return { exact(now), exact(ends), string.sub(value, HEAD_BYTES + 1) }
    end
  end
  if value or redis.call('ZSCORE', index, name) then
    redis.pcall('UNLINK', root .. 'answer:' .. name) -- what it is counted for is known again when its turn comes
  end
  return false
end

-- Whether somebody has claimed the key since, or the path was dropped; or may have been, if that is forgotten.
local function is_overtaken(name, place, token)
  if tonumber(redis.call('GET', root .. 'token') or 0) < token then
    return true
  end
  local marks = redis.call('MGET', root .. 'claim:' .. name, root .. 'drop:' .. place, root .. 'drop:')
  for _, mark in pairs(marks) do
    if mark and tonumber(mark) > token then
      return true
    end
  end
  local kept = redis.call('GETRANGE', root .. 'answer:' .. name, 0, HEAD_BYTES - 1)
  if #kept < HEAD_BYTES then
    return false
  end
  local _, _, theirs = struct.unpack(HEAD, kept)
  return theirs > token
end

local function make_room(total, max_bytes)
  while total > max_bytes do
    local oldest = redis.call('ZRANGE', index, 0, 0)[1]
    if not oldest then
      redis.call('DEL', sizes)
      return
    end
    forget(oldest)
    total = tonumber(redis.call('HGET', sizes, '') or 0)
  end
end

-- An empty `data` is too large to be kept; `left` seconds it is fresh, "" means never was.
function verbs.put(name, place, token, left, data, max_bytes, new)
  if token == '' then
    token = next_token()
  else
    if redis.call('GET', root .. 'claim:' .. name) == token then
      redis.call('DEL', root .. 'claim:' .. name)
    end
    if is_overtaken(name, place, tonumber(token)) then
      return false
    end
  end
  forget(name)
  if data == '' then
    return false
  end
  local keep = milliseconds(KEEP_SECONDS)
  local born = begin(root .. 'place:' .. begin(root .. 'era', new) .. place, new)
  local ends = left == '' and -1 or now + tonumber(left)
  local value = struct.pack(HEAD, place, born, tonumber(token), ends) .. data
  redis.call('SET', root .. 'answer:' .. name, value, 'PX', keep)
  redis.call('ZADD', index, exact(now), name)
  redis.call('HSET', sizes, name, #value + ENTRY_BYTES)
  local total = redis.call('HINCRBY', sizes, '', #value + ENTRY_BYTES)
  redis.call('PEXPIRE', index, keep)
  redis.call('PEXPIRE', sizes, keep)
  make_room(total, tonumber(max_bytes))
end

function verbs.drop(place)
  local era = redis.call('GET', root .. 'era')
  if era then
    redis.call('DEL', root .. 'place:' .. era .. place)
  end
  redis.call('SET', root .. 'drop:' .. place, next_token(), 'PX', milliseconds(FENCE_SECONDS))
end

-- Gives whether there is more to forget: it is done in parts, so that the server answers others in between.
function verbs.clear(is_first)
  if is_first == '1' then
    redis.call('DEL', root .. 'era')
    redis.call('SET', root .. 'drop:', next_token(), 'PX', milliseconds(FENCE_SECONDS))
  end
  local names = redis.call('ZRANGE', index, 0, 499)
  for _, name in ipairs(names) do
    forget(name)
  end
  return #names
end

function verbs.claim(name, seconds)
  local key = root .. 'claim:' .. name
  if redis.call('EXISTS', key) == 1 then
    return false
  end
  local token = next_token()
  redis.call('SET', key, token, 'PX', milliseconds(tonumber(seconds)))
  return token
end

function verbs.release(name, token)
  local key = root .. 'claim:' .. name
  if redis.call('GET', key) == token then
    redis.call('DEL', key)
  end
end

-- Gives how many answers there are, and what they take.
function verbs.size()
  return { redis.call('ZCARD', index), tonumber(redis.call('HGET', sizes, '') or 0) }
end

return verbs[ARGV[1]](unpack(ARGV, 4))
