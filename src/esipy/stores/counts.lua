-- The arithmetic of core/counts.py, function by function: what is explained there is not explained here.

local function age(b)
  local tokens, last = drop_returned(b.spends)
  b.own = b.own - tokens
  b.returned_at = last or b.returned_at
  b.foreign = b.foreign - drop_returned(b.theirs)
  b.doubt = #b.theirs > 0 and b.doubt or 0
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

local function raise(b, tokens, returns_in, since, from)
  enter_part(b.theirs, return_of(b, returns_in, from), tokens, since)
  b.foreign = b.foreign + tokens
end

local function lose(b, tokens, returns_in, from)
  raise(b, tokens, returns_in, 0, from)
  b.doubt = b.doubt + tokens
end

local function spend(b, tokens, returns_in, left_at)
  enter(b.spends, return_of(b, returns_in), tokens, returns_in and 0 or left_at)
  b.own = b.own + tokens
  return b.spends[#b.spends - 2]
end

local function learn_lateness(b, seconds)
  if b.late + seconds <= LATEST_SECONDS then
    b.late = b.late + seconds
    postpone(b.spends, seconds)
    postpone(b.theirs, seconds)
  end
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

local function hear(b, left_at, used, most, returns_in) -- whether others are believed to have spent more than before
  if (now - left_at) * 100 > b.slowest then
    b.slowest = math.floor((now - left_at) * 100) + 1
  end
  local till = now + b.late + b.window_seconds / SLOTS + b.slowest / 100
  local surely = b.own - due(b.spends, till, now - b.window_seconds)
  local perhaps = b.own - due(b.spends, left_at + b.late, HUGE)
  local before = b.foreign
  local least = math.max(used - perhaps - b.reserved, 0)
  local believed = math.max(least, most - surely)
  local uncertain
  uncertain, b.theirs = part_uncertain(b.theirs, now - b.window_seconds)
  b.foreign = b.foreign - uncertain
  if believed > b.foreign then
    raise(b, believed - b.foreign, returns_in, b.sure_at)
  elseif believed < b.foreign then
    b.foreign = b.foreign - take(b.theirs, b.foreign - believed)
  end
  b.sure_at = math.max(left_at, b.sure_at)
  b.doubt = believed - least
  return believed > before
end
