-- The arithmetic of core/buckets.py, function by function: what is explained there is not explained here, and a test
-- compares the two, to the token. A bucket is a map with the names of core/buckets.Bucket, and of its own:
--   born     when it was made (microseconds): the marks of a bucket that the server lost mean nothing to the next one;
--   flights  what is under way: number, end of its lease, cost and whose it is, of each, one after the other.
-- CALL_COST, COLD_SHARE and the like are put before this text, and `ledger.lua` after it.

local HUGE = math.huge
local FLIGHT, SPEND = 4, 3 -- items of each

local function server_time()
  if ARGV[2] ~= '' then -- a test's clock
    return tonumber(ARGV[2])
  end
  local time = redis.call('TIME')
  return time[1] + time[2] / 1000000
end

local now = server_time()

-- What comes back ------------------------------------------------------------------------------------------------

local function cut(pairs_, gone)
  if gone > 0 then
    local size = #pairs_
    for place = 1, size do
      pairs_[place] = pairs_[place + gone]
    end
  end
end

local function drop_returned(pairs_) -- the tokens, and the moment of the last of them
  local gone, tokens, last = 0, 0, nil
  while pairs_[gone + 1] and pairs_[gone + 1] <= now do
    last, tokens = pairs_[gone + 1], tokens + pairs_[gone + 2]
    gone = gone + SPEND
  end
  cut(pairs_, gone)
  return tokens, last
end

local function age(b)
  local tokens, last = drop_returned(b.spends)
  b.own = b.own - tokens
  b.returned_at = last or b.returned_at
  b.foreign = b.foreign - drop_returned(b.theirs)
end

local function floor_divide(a, by) -- as Python's //, which differs from floor(a / by) where that is rounded up
  local quotient = (a - math.fmod(a, by)) / by
  local floor = math.floor(quotient)
  return quotient - floor > 0.5 and floor + 1 or floor
end

local function slot_of(b)
  return b.window_seconds / (b.limit > SMALL and SLOTS or SLOTS * 10)
end

local function return_of(b, returns_in, from)
  local slot = slot_of(b)
  return (floor_divide((from or now) + (returns_in or b.window_seconds) + b.late, slot) + 1) * slot
end

local function insert_part(parts, moment, tokens, since)
  local place = #parts
  while place > 0 and parts[place - 2] > moment do
    place = place - SPEND
  end
  if place > 0 and parts[place - 2] == moment then
    parts[place - 1], parts[place] = parts[place - 1] + tokens, math.min(since, parts[place])
    return
  end
  for from = #parts, place + 1, -1 do
    parts[from + SPEND] = parts[from]
  end
  parts[place + 1], parts[place + 2], parts[place + 3] = moment, tokens, since
end

local function raise(b, tokens, returns_in, since, from)
  insert_part(b.theirs, return_of(b, returns_in, from), tokens, since)
  b.foreign = b.foreign + tokens
end

local function enter(spends, moment, tokens, since)
  local size = #spends
  if size > 0 and spends[size - 2] >= moment then
    spends[size - 1], spends[size] = spends[size - 1] + tokens, math.min(since, spends[size])
  else
    spends[size + 1], spends[size + 2], spends[size + 3] = moment, tokens, since
  end
end

local function due(spends, till, since) -- tokens
  local place, tokens = 1, 0
  while spends[place] and spends[place] <= till do
    if spends[place + 2] <= since then
      tokens = tokens + spends[place + 1]
    end
    place = place + SPEND
  end
  return tokens
end

local function returns(b, reserved) -- an iterator over moment, tokens: all that comes back, in order
  local spends, theirs, s, t = b.spends, b.theirs, 1, 1
  local landing = reserved ~= 0 and return_of(b) or HUGE
  return function()
    local own, foreign = spends[s] or HUGE, theirs[t] or HUGE
    if landing < own and landing < foreign then
      local moment = landing
      landing = HUGE
      return moment, reserved
    elseif own <= foreign and own < HUGE then
      s = s + SPEND
      return own, spends[s - 2]
    elseif foreign < HUGE then
      t = t + SPEND
      return foreign, theirs[t - 2]
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
  if missing <= math.min(b.foreign, b.reserved) then
    return wait_seconds
  end
  for moment, returned in returns(b, b.reserved) do
    missing = missing - returned
    if missing <= 0 then
      return math.max(wait_seconds, windows * b.window_seconds + moment - now)
    end
  end
  return wait_seconds + b.window_seconds + b.late
end

local function pace(b, cost, room)
  local reserved = b.worst > 1 and b.reserved or 0
  local left = room - b.own - b.foreign - reserved
  if left * 2 > room then
    return 0
  end
  local rate = room / b.window_seconds
  for moment, returned in returns(b, reserved) do
    rate = math.min(rate, left / (moment - now))
    left = left + returned
  end
  return rate > 0 and b.left_at + cost / rate - now or 0
end

local function depart(b, cost, lease_end, member, room) -- `room`: of a call that may leave
  b.proved = math.max(b.proved - b.worst, 0)
  b.flying = b.flying + 1
  b.reserved = b.reserved + cost
  b.sent = b.sent + 1
  b.left_at = now
  if room then
    b.full = b.own + b.foreign + b.reserved + CALL_COST > room
  end
  local flights, size = b.flights, #b.flights
  flights[size + 1], flights[size + 2], flights[size + 3], flights[size + 4] = b.sent, lease_end, cost, member
end

local function overdue_at(b)
  return b.left_at + (b.slowest > 0 and b.slowest / 50 or UNHEARD_SECONDS)
end

local function is_unclear(b)
  local latency = b.slowest / 100
  local till = now + b.late + b.window_seconds / SLOTS + 2 * latency
  return due(b.spends, till, now + latency - b.window_seconds) > 0
end

local function next_chance(b)
  local moment = overdue_at(b)
  moment = moment <= now and HUGE or moment
  return math.min(moment, b.spends[1] or HUGE, b.theirs[1] or HUGE) - now
end

local function reserve(b, cost, share, spread) -- 0 when it may leave, else seconds; HUGE: an answer has to come first
  if now < b.blocked_until then
    return b.blocked_until - now
  end
  age(b)
  local taken, flying, limit, room = b.own + b.foreign, b.flying, b.limit, room_of(b, share)
  if taken + b.reserved + cost > room and (taken > 0 or flying > 0) then
    local wait_seconds = wait_for(b, math.min(cost, math.max(room, 1)), share)
    return wait_seconds > 0 and wait_seconds or HUGE
  end
  if flying == 0 and b.warm_until < 0 and taken + b.worst + CALL_COST > room and is_unclear(b) then
    return HUGE
  end
  if flying > 0 then
    if taken + b.worst * flying + math.min(cost, CALL_COST) > limit then
      return HUGE
    end
    if now >= b.warm_until and now < overdue_at(b) then
      local alone = b.warm_until < 0
      if (alone and b.proved < b.worst) or (not alone and b.worst * (flying + 1) > limit * COLD_SHARE) then
        return HUGE
      end
    end
  end
  return spread and math.max(pace(b, cost, room), 0) or 0
end

local function spend(b, tokens, returns_in, left_at)
  enter(b.spends, return_of(b, returns_in), tokens, returns_in and 0 or left_at)
  b.own = b.own + tokens
  return b.spends[#b.spends - 2]
end

local function land(b, place)
  local flights = b.flights
  b.flying = b.flying - 1
  b.reserved = b.reserved - flights[place + 2]
  for to = place, #flights do
    flights[to] = flights[to + FLIGHT]
  end
end

local function land_overdue(b) -- whether there were any: nobody knows what they cost, so the most
  local place, found = 1, false
  while b.flights[place] do
    local lease_end = b.flights[place + 1]
    if lease_end <= now then
      land(b, place)
      b.landed = b.landed + 1
      raise(b, b.worst, nil, 0, lease_end)
      if b.flying > 0 then
        local size = #b.lately
        b.lately[size + 1], b.lately[size + 2] = b.landed, -b.worst
      end
      found = true
    else
      place = place + FLIGHT
    end
  end
  return found
end

local function first_landing(b, member) -- when the first lease ends, and whether any call is another process's
  local moment, others = HUGE, 0
  for place = 1, #b.flights, FLIGHT do
    moment = math.min(moment, b.flights[place + 1])
    if b.flights[place + 3] ~= member then
      others = 1
    end
  end
  return moment, others
end

local function place_of(b, number)
  for place = 1, #b.flights, FLIGHT do
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
      gone = gone + SPEND
    else
      theirs[gone + 2] = theirs[gone + 2] - taken
    end
  end
  cut(theirs, gone)
end

local function learn_lateness(b, seconds)
  if b.late + seconds <= LATEST_SECONDS then
    b.late = b.late + seconds
    for place = 1, #b.spends, SPEND do
      b.spends[place] = b.spends[place] + seconds
    end
    for place = 1, #b.theirs, SPEND do
      b.theirs[place] = b.theirs[place] + seconds
    end
  end
end

local function part_uncertain(b, till)
  local theirs, kept, tokens = b.theirs, {}, 0
  for place = 1, #theirs, SPEND do
    if theirs[place + 2] <= till then
      tokens = tokens + theirs[place + 1]
    else
      for item = 0, SPEND - 1 do
        kept[#kept + 1] = theirs[place + item]
      end
    end
  end
  b.theirs = kept
  return tokens
end

local function most_used(b, landed_before, used)
  local lately, kept, most, untold = b.lately, {}, used, 0
  for place = 1, #lately, 2 do
    local landed, told = lately[place], lately[place + 1]
    if landed > landed_before and (told < 0 or told > used) then
      kept[#kept + 1], kept[#kept + 2] = landed, told
      if told < 0 then
        untold = untold - told
      else
        most = math.max(most, told)
      end
    end
  end
  b.lately = kept
  if b.flying > 0 then
    kept[#kept + 1], kept[#kept + 2] = b.landed, used
  else
    b.lately = {}
  end
  return most + untold
end

local function tell_nothing(b, cost)
  if b.flying > 0 and cost > 0 then
    local size = #b.lately
    b.lately[size + 1], b.lately[size + 2] = b.landed, -cost
  end
end

local function hear(b, number, landed_before, left_at, spent, used, returns_in, alone)
  if spent == 0 and returns_in and b.worst > 1 and number > b.heard then
    learn_lateness(b, now - b.returned_at + returns_in)
  end
  if (now - left_at) * 100 > b.slowest then
    b.slowest = math.floor((now - left_at) * 100) + 1
  end
  local peak = most_used(b, landed_before, used)
  local till = now + b.late + b.window_seconds / SLOTS + b.slowest / 100
  local surely = b.own - due(b.spends, till, now - b.window_seconds)
  local perhaps = b.own - due(b.spends, left_at + b.late, HUGE)
  local before = b.foreign
  local believed = math.max(used - perhaps - b.reserved, peak - surely, 0)
  b.foreign = b.foreign - part_uncertain(b, now - b.window_seconds)
  if believed > b.foreign then
    raise(b, believed - b.foreign, returns_in, b.sure_at)
  elseif believed < b.foreign then
    lower(b, b.foreign - believed)
  end
  b.sure_at = math.max(left_at, b.sure_at)
  if believed > before then
    b.heard = b.sent
    if alone then
      b.warm_until = -1
    end
  end
  if b.warm_until < 0 then
    b.proved = math.max(b.limit - peak - b.worst * b.flying, 0)
  end
end

local function block(b, moment)
  b.blocked_until = math.max(moment, b.blocked_until)
  b.warm_until = -1
  b.proved = 0
end
