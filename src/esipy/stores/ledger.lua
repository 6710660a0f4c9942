-- The ledger's verbs in Redis or Valkey, each one atomic call. `buckets.lua`, and MEMBER_SECONDS, are put before this
-- text. ARGV[1] is the verb, ARGV[2] a clock for tests ("" is the server's own), what follows is the verb's.
-- A gate, and a wait for a bucket that is not there, is kept as one number: until when.

local function exact(value)
  return string.format('%.17g', value)
end

-- Keeping --------------------------------------------------------------------------------------------------------

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
    own = 0, reserved = 0, flying = 0, foreign = 0, doubt = 0, blocked_until = 0, warm_until = 0, left_at = 0,
    full = false, late = RELEASE_MARGIN_SECONDS, returned_at = 0, proved = 0,
    sent = 0, heard = 0, landed = 0, slowest = 0, sure_at = 0, lately = {}, born = math.floor(now * 1000000), spends = {}, theirs = {}, flights = {},
  }
  if kept and kept > now then
    block(b, kept)
  end
  return b, true
end

local function save(key, index, b)
  local window = b.window_seconds
  local last = math.max(
    now + window, b.blocked_until, b.warm_until, b.spends[#b.spends - 2] or 0, b.theirs[#b.theirs - 2] or 0
  )
  for place = 2, #b.flights, FLIGHT do
    last = math.max(last, b.flights[place] + window)
  end
  local seconds = last + window - now
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

local function decide(limit, window_seconds, worst, cost, share, spread, forced, lease_seconds, member)
  local key, gate, index = KEYS[1], KEYS[2], KEYS[3]
  local closed_until = load(gate)
  if type(closed_until) == 'number' and now < closed_until then
    return { 0, exact(closed_until - now), 1, 0 }
  end
  local b, changed = bucket_at(key, limit, window_seconds, worst)
  cost = tonumber(cost)
  local wait_seconds = forced == '0' and reserve(b, cost, tonumber(share), spread == '1') or 0
  if wait_seconds > 0 then
    if changed then
      save(key, index, b)
    end
    local landing, others = first_landing(b, member)
    if wait_seconds == HUGE then
      return { 0, exact(math.min(next_chance(b), landing - now)), 0, 1 + others }
    end
    return { 0, exact(wait_seconds), 0, b.blocked_until <= now and 3 * others or 0 }
  end
  depart(b, cost, now + tonumber(lease_seconds), member, forced == '0' and room_of(b, tonumber(share)))
  save(key, index, b)
  return { 1, b.sent, b.landed, b.born, exact(b.left_at) }
end

-- KEYS: bucket, gate, index, members. Gives 1, number, landed, born, left_at; or 0, seconds, everyone, landing (1: a call of
-- this process has to be answered first, 2: another's, 3: none, but others have some under way); and how many processes
-- there are.
function verbs.reserve(limit, window_seconds, worst, cost, share, spread, forced, lease_seconds, member, beats)
  local decided = decide(limit, window_seconds, worst, cost, share, spread, forced, lease_seconds, member)
  decided[#decided + 1] = beats == '1' and beat(KEYS[3], KEYS[4], member) or redis.call('ZCARD', KEYS[4])
  return decided
end

-- KEYS: bucket, index, members. A call whose lease is over has been counted: only its headers are read. One whose bucket
-- was lost has left this one as it lands. Gives how many processes there are.
function verbs.settle(
  limit, window_seconds, worst, number, landed_before, born, left_at, spent, used, told_limit, told_window, returns_in,
  answered, cost
)
  local b = bucket_at(KEYS[1], limit, window_seconds, worst)
  number, landed_before, left_at, spent = tonumber(number), tonumber(landed_before), tonumber(left_at), tonumber(spent)
  returns_in = tonumber(returns_in)
  if told_limit ~= '' then
    b.limit = tonumber(told_limit)
    b.window_seconds = tonumber(told_window) or b.window_seconds
  end
  if b.born ~= tonumber(born) then
    depart(b, tonumber(cost), now, '')
    number, landed_before, left_at = b.sent, b.landed, now
  end
  local place = place_of(b, number)
  if b.theirs[1] then
    age(b)
  end
  if place or used ~= '' then
    b.landed = b.landed + 1
  end
  local back_at
  if not place then
    spent = 0
  else
    land(b, place)
    if spent > 0 and answered == '1' then
      back_at = spend(b, spent, returns_in, tonumber(left_at))
    elseif spent > 0 then
      lose(b, spent, returns_in)
    end
  end
  local alone = b.warm_until < 0
  if answered == '1' and (place or used ~= '') then
    b.warm_until = b.full and -1 or back_at or now + b.window_seconds
    b.proved = 0
  end
  if used ~= '' then
    told(b, number, landed_before, left_at, spent, tonumber(used), returns_in, alone)
  elseif place then
    tell_nothing(b, spent)
  end
  save(KEYS[1], KEYS[2], b)
  return redis.call('ZCARD', KEYS[3])
end

-- KEYS: bucket or gate, index.
function verbs.block(seconds)
  local kept, moment = load(KEYS[1]), now + tonumber(seconds)
  if type(kept) == 'table' then
    block(kept, moment)
    save(KEYS[1], KEYS[2], kept)
  elseif not kept or kept < moment then
    redis.call('SET', KEYS[1], cmsgpack.pack(moment), 'PX', math.max(math.ceil(tonumber(seconds) * 1000), 1))
  end
end

-- KEYS: bucket, index.
function verbs.resize(limit, window_seconds, worst, to, at_most)
  local b = bucket_at(KEYS[1], limit, window_seconds, worst)
  b.limit = at_most == '1' and math.min(b.limit, tonumber(to)) or tonumber(to)
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
