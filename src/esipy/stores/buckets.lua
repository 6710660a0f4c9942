-- The arithmetic of core/buckets.py, function by function: what is explained there is not explained here, and a test
-- compares the two, to the token. A bucket is a map with the names of core/buckets.Bucket, and of its own:
--   born     when it was made (microseconds): the marks of a bucket that the server lost mean nothing to the next one;
--   flights  what is under way: number, end of its lease, cost and whose it is, of each, one after the other.
-- CALL_COST, COLD_SHARE, LATEST_SECONDS, RELEASE_MARGIN_SECONDS and SLOTS are put before this text, and `ledger.lua` after it.

local HUGE = math.huge
local FLIGHT = 4 -- items of each

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
    gone = gone + 2
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

local function return_of(b, returns_in, from)
  local slot = b.window_seconds / SLOTS
  return (floor_divide((from or now) + (returns_in or b.window_seconds) + b.late, slot) + 1) * slot
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
  return wait_seconds + b.window_seconds + b.late
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
  return rate > 0 and b.left_at + cost / rate - now or 0
end

local function depart(b, cost, lease_end, member, room) -- `room`: of a call that may leave
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

local function spend(b, tokens, returns_in, from)
  enter(b.spends, return_of(b, returns_in, from), tokens)
  b.own = b.own + tokens
  b.settled = b.settled + tokens
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
      spend(b, b.worst, nil, lease_end)
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
      gone = gone + 2
    else
      theirs[gone + 2] = theirs[gone + 2] - taken
    end
  end
  cut(theirs, gone)
end

local function learn_lateness(b, seconds)
  if b.late + seconds <= LATEST_SECONDS then
    b.late = b.late + seconds
    for _, pairs_ in ipairs({ b.spends, b.theirs }) do
      for place = 1, #pairs_, 2 do
        pairs_[place] = pairs_[place] + seconds
      end
    end
  end
end

local function hear(b, number, cost, settled_before, spent, used, returns_in, alone)
  if spent == 0 and returns_in and b.worst > 1 and number > b.heard then
    learn_lateness(b, now - b.returned_at + returns_in)
  end
  if spent > cost and b.foreign > 0 and number <= b.heard then
    lower(b, spent - cost)
  end
  local others, foreign = used - b.own, b.foreign
  if others - b.reserved > foreign then
    local more = others - b.reserved - foreign
    enter(b.theirs, return_of(b, returns_in), more)
    b.foreign = foreign + more
    b.heard = b.sent
    if alone then
      b.warm_until = -1
    end
  elseif foreign > 0 and number > b.heard then
    b.heard = number
    local most = math.max(others + b.settled - spent - settled_before, 0)
    if most < foreign then
      lower(b, foreign - most)
    end
  end
end

local function block(b, moment)
  b.blocked_until = math.max(moment, b.blocked_until)
  b.warm_until = -1
end
