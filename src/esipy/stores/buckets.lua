-- The arithmetic of core/buckets.py, function by function: what is explained there is not explained here, and a test
-- compares the two, to the token. A bucket is a map with the names of core/buckets.Bucket, and of its own:
--   born     when it was made (microseconds): the marks of a bucket that the server lost mean nothing to the next one;
--   flights  what is under way: number, end of its lease, cost and whose it is, of each, one after the other.

local FLIGHT = 4 -- items of each

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

local function room_of(b, share)
  return b.limit - math.floor(b.limit * share / CALL_COST) * CALL_COST
end

local function wait_for(b, tokens, share)
  tokens = math.max(tokens, 1)
  local room = math.max(room_of(b, share), 1)
  local windows = math.floor((tokens - 1) / room)
  local rest = tokens - 1 - windows * room
  local wait_seconds = windows * b.window_seconds + math.max(b.blocked_until - now, 0)
  local missing = b.own + b.foreign + b.reserved + rest + 1 - room
  if missing <= math.min(b.foreign, b.flying > 0 and math.max(b.reserved, b.doubt) or 0) then
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

local function pace(b, cost, room, after)
  local left, at = room - b.own - b.foreign - b.reserved, now + after
  for moment, returned in returns(b, b.reserved) do
    left = left + (moment < at + ROUNDING_SECONDS and returned or 0)
  end
  if left * 2 > room then
    return 0
  end
  local rate, free_at = room / b.window_seconds, HUGE
  for moment, returned in returns(b, b.reserved) do
    if moment >= at + ROUNDING_SECONDS then
      rate = math.min(rate, left / (moment - at))
      left = left + returned
      if left * 2 > room then
        free_at = math.min(free_at, moment)
      end
    end
  end
  return rate > 0 and math.max(math.min(b.left_at + cost / rate, free_at) - at, 0) or 0
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
  return b.left_at + (b.slowest > 0 and b.slowest / 100 * OVERDUE or UNHEARD_SECONDS)
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

local function finds_out_in(b, cost, room)
  if cost <= CALL_COST or b.doubt == 0 then
    return HUGE
  end
  local earliest = math.max(b.blocked_until, b.flying > 0 and overdue_at(b) or 0)
  local room_for_worst = b.limit - b.worst * b.flying
  local own, foreign, s, t, moment = b.own, b.foreign, 1, 1, now
  while moment < HUGE do
    local fits = own + foreign + CALL_COST <= math.min(room - b.reserved, room_for_worst)
    if fits and own + math.max(foreign - b.doubt, 0) + b.reserved + cost <= room then
      return math.max(moment, earliest) - now
    end
    local mine, theirs = b.spends[s] or HUGE, b.theirs[t] or HUGE
    moment = math.min(mine, theirs)
    if mine <= theirs and mine < HUGE then
      own, s = own - b.spends[s + 1], s + SPEND
    elseif theirs < HUGE then
      foreign, t = foreign - b.theirs[t + 1], t + SPEND
    end
  end
  return HUGE
end

local function reserve(b, cost, share, spread) -- 0 when it may leave, else seconds; HUGE: an answer has to come first
  if now < b.blocked_until then
    return b.blocked_until - now
  end
  age(b)
  local taken, flying, limit, room = b.own + b.foreign, b.flying, b.limit, room_of(b, share)
  local needed = cost > 0 and cost or b.worst
  if taken + b.reserved + needed > room and (taken > 0 or flying > 0) then
    local finds_out = finds_out_in(b, needed, room)
    if finds_out > 0 then
      local wait_seconds = math.min(wait_for(b, math.min(needed, math.max(room, 1)), share), finds_out)
      if spread and wait_seconds > 0 then
        wait_seconds = wait_seconds + pace(b, needed, room, wait_seconds)
      end
      return wait_seconds > 0 and wait_seconds or HUGE
    end
  end
  if flying == 0 and b.warm_until < 0 and taken + b.worst + CALL_COST > room and is_unclear(b) then
    return HUGE
  end
  if flying > 0 then
    if taken + b.worst * flying + math.min(needed, CALL_COST) > (cost > 0 and limit or room) then
      return HUGE
    end
    if now >= b.warm_until and now < overdue_at(b) then
      local alone = b.warm_until < 0
      local cold = limit < ROOMY and b.worst * (flying + 1) > limit * COLD_SHARE
      if (alone and b.proved < b.worst) or (not alone and cold) then
        return HUGE
      end
    end
  end
  return spread and pace(b, needed, room, 0) or 0
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
      lose(b, b.worst, nil, lease_end)
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

local function told(b, number, landed_before, left_at, spent, used, returns_in, alone) -- the end of `Bucket.settle`
  if spent == 0 and returns_in and b.worst > 1 and number > b.heard then
    age(b)
    learn_lateness(b, now - b.returned_at + returns_in)
  end
  local most = most_used(b, landed_before, used)
  if hear(b, left_at, used, most, returns_in) then
    b.heard = b.sent
    if alone then
      b.warm_until = -1
    end
  end
  if b.warm_until < 0 then
    b.proved = math.max(b.limit - most - b.worst * b.flying, 0)
  end
end

local function block(b, moment)
  b.blocked_until = math.max(moment, b.blocked_until)
  b.warm_until = -1
  b.proved = 0
end
