-- The arithmetic of core/spends.py, function by function: what is explained there is not explained here. The first of
-- the pieces of one script: `counts.lua`, `buckets.lua` and `ledger.lua` come after it, constants of Python before it.

local HUGE = math.huge
local SPEND = 3 -- items of each

local function server_time()
  if ARGV[2] ~= '' then -- a test's clock
    return tonumber(ARGV[2])
  end
  local time = redis.call('TIME')
  return time[1] + time[2] / 1000000
end

local now = server_time()

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

local function enter_part(parts, moment, tokens, since)
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

local function take(parts, tokens) -- the tokens
  local taken, gone = 0, 0
  while taken < tokens and parts[gone + 1] do
    local some = math.min(tokens - taken, parts[gone + 2])
    taken = taken + some
    if some == parts[gone + 2] then
      gone = gone + SPEND
    else
      parts[gone + 2] = parts[gone + 2] - some
    end
  end
  cut(parts, gone)
  return taken
end

local function part_uncertain(parts, till) -- the tokens, and the parts that are left
  local kept, tokens = {}, 0
  for place = 1, #parts, SPEND do
    if parts[place + 2] <= till then
      tokens = tokens + parts[place + 1]
    else
      for item = 0, SPEND - 1 do
        kept[#kept + 1] = parts[place + item]
      end
    end
  end
  return tokens, kept
end

local function postpone(spends, seconds)
  for place = 1, #spends, SPEND do
    spends[place] = spends[place] + seconds
  end
end
