-- The ledger's verbs in Redis or Valkey, each one atomic call: the arithmetic of core/buckets.py, function by function.
-- What is explained there is not explained here; a test compares the two, to the token.
--
-- ARGV[1] is the verb, ARGV[2] a clock for tests ("" is the server's own); what follows is the verb's. A bucket is a
-- map with the names of core/buckets.Bucket, and of its own:
--   born     when it was made (microseconds): the marks of a bucket that the server lost mean nothing to the next one;
--   flights  what is under way: number, end of its lease and cost of each, one after the other.
-- A gate, and a wait for a bucket that is not there, is one number: until when. CALL_COST, COLD_SHARE,
-- RELEASE_MARGIN_SECONDS, SLOTS and MEMBER_SECONDS are put before this text.

local HUGE = math.huge

local function server_time()
  if ARGV[2] ~= '' then
    return tonumber(ARGV[2])
  end
  local time = redis.call('TIME')
  return time[1] + time[2] / 1000000
end

local now = server_time()

local function exact(value)
  return string.format('%.17g', value)
end

-- What comes back ------------------------------------------------------------------------------------------------

local function cut(pairs_, gone)
  if gone > 0 then
    local size = #pairs_
    for place = 1, size do
      pairs_[place] = pairs_[place + gone]
    end
  end
end

local function drop_returned(pairs_)
  local gone, tokens = 0, 0
  while pairs_[gone + 1] and pairs_[gone + 1] <= now do
    tokens = tokens + pairs_[gone + 2]
    gone = gone + 2
  end
  cut(pairs_, gone)
  return tokens
end

local function age(b)
  b.own = b.own - drop_returned(b.spends)
  b.foreign = b.foreign - drop_returned(b.theirs)
end

local function floor_divide(a, by) -- as Python's //, which differs from floor(a / by) where that is rounded up
  local quotient = (a - math.fmod(a, by)) / by
  local floor = math.floor(quotient)
  return quotient - floor > 0.5 and floor + 1 or floor
end

local function return_of(b, returns_in)
  local slot = b.window_seconds / SLOTS
  return (floor_divide(now + (returns_in or b.window_seconds) + RELEASE_MARGIN_SECONDS, slot) + 1) * slot
end

local function enter(pairs_, moment, tokens)
  local size = #pairs_
  if size > 0 and pairs_[size - 1] >= moment then
    pairs_[size] = pairs_[size] + tokens
  else
    pairs_[size + 1] = moment
    pairs_[size + 2] = tokens
  end
end

local function returns(b) -- an iterator over moment, tokens: all that comes back, in order
  local spends, theirs, s, t = b.spends, b.theirs, 1, 1
  local landing = b.reserved ~= 0 and return_of(b) or HUGE
  return function()
    local own, foreign = spends[s] or HUGE, theirs[t] or HUGE
    if landing < own and landing < foreign then
      local moment = landing
      landing = HUGE
      return moment, b.reserved
    elseif own <= foreign and own < HUGE then
      s = s + 2
      return own, spends[s - 1]
    elseif foreign < HUGE then
      t = t + 2
      return foreign, theirs[t - 1]
    end
  end
end

-- Leaving and landing --------------------------------------------------------------------------------------------

local function room_of(b, share)
  return b.limit - math.floor(b.limit * share / CALL_COST) * CALL_COST
end

local function wait_for(b, tokens, share)
  local room = math.max(room_of(b, share), 1)
  local windows = math.floor((tokens - 1) / room)
  local rest = tokens - 1 - windows * room
  local wait_seconds = windows * b.window_seconds + math.max(b.blocked_until - now, 0)
  local missing = b.own + b.foreign + b.reserved + rest + 1 - room
  if missing <= 0 then
    return wait_seconds
  end
  for moment, returned in returns(b) do
    missing = missing - returned
    if missing <= 0 then
      return math.max(wait_seconds, windows * b.window_seconds + moment - now)
    end
  end
  return wait_seconds + b.window_seconds + RELEASE_MARGIN_SECONDS
end

local function pace(b, cost, room)
  local left = room - b.own - b.foreign - b.reserved
  if left * 2 > room then
    return 0
  end
  local rate = room / b.window_seconds
  for moment, returned in returns(b) do
    rate = math.min(rate, left / (moment - now))
    left = left + returned
  end
  return rate > 0 and b.left_at + cost / rate - now or HUGE
end

local function depart(b, cost, lease_seconds)
  b.flying = b.flying + 1
  b.reserved = b.reserved + cost
  b.sent = b.sent + 1
  b.left_at = now
  local size = #b.flights
  b.flights[size + 1], b.flights[size + 2], b.flights[size + 3] = b.sent, now + lease_seconds, cost
end

local function reserve(b, cost, share, spread) -- 0 when it may leave, else seconds; HUGE: an answer has to come first
  if now < b.blocked_until then
    return b.blocked_until - now
  end
  age(b)
  local taken, flying, limit, room = b.own + b.foreign, b.flying, b.limit, room_of(b, share)
  if taken + b.reserved + cost > room and (taken > 0 or flying > 0) then
    local wait_seconds = wait_for(b, cost, share)
    return wait_seconds > 0 and wait_seconds or HUGE
  end
  if flying > 0 then
    if taken + b.worst * flying + cost > limit then
      return HUGE
    end
    if now >= b.warm_until and (b.warm_until < 0 or b.worst * (flying + 1) > limit * COLD_SHARE) then
      return HUGE
    end
  end
  return spread and math.max(pace(b, cost, room), 0) or 0
end

local function spend(b, tokens, returns_in)
  enter(b.spends, return_of(b, returns_in), tokens)
  b.own = b.own + tokens
  b.settled = b.settled + tokens
end

local function land(b, place, spent, returns_in)
  local flights, size = b.flights, #b.flights
  b.flying = b.flying - 1
  b.reserved = b.reserved - flights[place + 2]
  for from = place + 3, size + 3 do
    flights[from - 3] = flights[from]
  end
  if spent > 0 then
    spend(b, spent, returns_in)
  end
end

local function land_overdue(b) -- whether there were any: nobody knows what they cost, so the most
  local place, found = 1, false
  while b.flights[place] do
    if b.flights[place + 1] <= now then
      age(b)
      land(b, place, b.worst)
      found = true
    else
      place = place + 3
    end
  end
  return found
end

local function first_lease(b)
  local moment = now + b.window_seconds
  for place = 2, #b.flights, 3 do
    moment = math.min(moment, b.flights[place])
  end
  return moment
end

local function place_of(b, number)
  for place = 1, #b.flights, 3 do
    if b.flights[place] == number then
      return place
    end
  end
end

-- What others spend ----------------------------------------------------------------------------------------------

local function lower(b, tokens)
  local theirs, gone = b.theirs, 0
  while tokens > 0 and theirs[gone + 1] do
    local taken = math.min(tokens, theirs[gone + 2])
    tokens = tokens - taken
    b.foreign = b.foreign - taken
    if taken == theirs[gone + 2] then
      gone = gone + 2
    else
      theirs[gone + 2] = theirs[gone + 2] - taken
    end
  end
  cut(theirs, gone)
end

local function hear(b, number, cost, settled_before, spent, used, returns_in)
  if spent > cost and b.foreign > 0 and number <= b.heard then
    lower(b, spent - cost)
  end
  local others, foreign = used - b.own, b.foreign
  if others - b.reserved > foreign then
    local more = others - b.reserved - foreign
    enter(b.theirs, return_of(b, returns_in), more)
    b.foreign = foreign + more
    b.heard = b.sent
  elseif foreign > 0 and number > b.heard then
    b.heard = number
    local most = math.max(others + b.settled - spent - settled_before, 0)
    if most < foreign then
      lower(b, foreign - most)
    end
  end
end

-- Keeping --------------------------------------------------------------------------------------------------------

local function block(b, moment)
  b.blocked_until = math.max(moment, b.blocked_until)
  b.warm_until = -1
end

local function load(key)
  local raw = redis.call('GET', key)
  return raw and cmsgpack.unpack(raw)
end

local function bucket_at(key, limit, window_seconds, worst) -- and whether it is another than what is kept
  local kept = load(key)
  if type(kept) == 'table' then
    return kept, land_overdue(kept)
  end
  local b = {
    limit = tonumber(limit), window_seconds = tonumber(window_seconds), worst = tonumber(worst),
    own = 0, reserved = 0, flying = 0, foreign = 0, blocked_until = 0, warm_until = 0, left_at = 0,
    sent = 0, heard = 0, settled = 0, born = math.floor(now * 1000000), spends = {}, theirs = {}, flights = {},
  }
  if kept then
    block(b, kept)
  end
  return b, true
end

local function save(key, index, b)
  local seconds = math.max(2 * b.window_seconds, b.blocked_until - now)
  for place = 2, #b.flights, 3 do
    seconds = math.max(seconds, b.flights[place] - now)
  end
  redis.call('SET', key, cmsgpack.pack(b), 'PX', math.ceil(seconds * 1000))
  redis.call('ZADD', index, exact(now + seconds), key)
end

local function beat(index, members, member) -- how many use the ledger; and what nobody else would tidy up
  redis.call('ZADD', members, exact(now), member)
  redis.call('ZREMRANGEBYSCORE', members, '-inf', exact(now - MEMBER_SECONDS))
  redis.call('ZREMRANGEBYSCORE', index, '-inf', exact(now))
  redis.call('EXPIRE', members, MEMBER_SECONDS)
  redis.call('EXPIRE', index, 86400)
  return redis.call('ZCARD', members)
end

-- The verbs ------------------------------------------------------------------------------------------------------

local verbs = {}

-- KEYS: bucket, gate, index, members. Gives 1, members, number, settled, born; or 0, members, seconds,
-- everyone, landing.
function verbs.reserve(limit, window_seconds, worst, cost, share, spread, forced, lease_seconds, member)
  local key, gate, index = KEYS[1], KEYS[2], KEYS[3]
  local members = member ~= '' and beat(index, KEYS[4], member) or -1
  if forced == '0' then
    local closed_until = load(gate)
    if type(closed_until) == 'number' and now < closed_until then
      return { 0, members, exact(closed_until - now), 1, 0 }
    end
  end
  local b, changed = bucket_at(key, limit, window_seconds, worst)
  cost = tonumber(cost)
  local wait_seconds = forced == '0' and reserve(b, cost, tonumber(share), spread == '1') or 0
  if wait_seconds > 0 then
    if changed then
      save(key, index, b)
    end
    local landing = wait_seconds == HUGE
    return { 0, members, exact(landing and first_lease(b) - now or wait_seconds), 0, landing and 1 or 0 }
  end
  depart(b, cost, tonumber(lease_seconds))
  save(key, index, b)
  return { 1, members, b.sent, b.settled, b.born }
end

-- KEYS: bucket, index. A call whose lease is over, or whose bucket was lost, has been counted: only its headers are read.
function verbs.settle(
  limit, window_seconds, worst, number, cost, settled_before, born, spent, used, told_limit, told_window, returns_in,
  answered
)
  local b = bucket_at(KEYS[1], limit, window_seconds, worst)
  number, cost, settled_before, spent = tonumber(number), tonumber(cost), tonumber(settled_before), tonumber(spent)
  returns_in = tonumber(returns_in)
  if told_limit ~= '' then
    b.limit = tonumber(told_limit)
    b.window_seconds = tonumber(told_window) or b.window_seconds
  end
  age(b)
  local same = b.born == tonumber(born)
  local place = same and place_of(b, number)
  if place then
    land(b, place, spent, returns_in)
  else
    cost, spent = 0, 0
  end
  if answered == '1' then
    b.warm_until = now + b.window_seconds
  end
  if used ~= '' then
    hear(b, same and number or 0, cost, settled_before, spent, tonumber(used), returns_in)
  end
  save(KEYS[1], KEYS[2], b)
end

-- KEYS: bucket or gate, index.
function verbs.block(seconds)
  local kept, moment = load(KEYS[1]), now + tonumber(seconds)
  if type(kept) == 'table' then
    block(kept, moment)
    save(KEYS[1], KEYS[2], kept)
  elseif not kept or kept < moment then
    redis.call('SET', KEYS[1], cmsgpack.pack(moment), 'PX', math.ceil((moment - now) * 1000))
  end
end

-- KEYS: bucket, index.
function verbs.resize(limit, window_seconds, worst, to)
  local b = bucket_at(KEYS[1], limit, window_seconds, worst)
  b.limit = tonumber(to)
  save(KEYS[1], KEYS[2], b)
end

-- KEYS: buckets, gates. Gives the time, and what is kept of each.
function verbs.look()
  return { exact(now), unpack(redis.call('MGET', unpack(KEYS))) }
end

-- KEYS: index. Gives the keys of all buckets that may be kept.
function verbs.names()
  return redis.call('ZRANGEBYSCORE', KEYS[1], exact(now), '+inf')
end

-- KEYS: members.
function verbs.leave(member)
  redis.call('ZREM', KEYS[1], member)
end

return verbs[ARGV[1]](unpack(ARGV, 3))
