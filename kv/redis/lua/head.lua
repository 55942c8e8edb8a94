-- Every script begins with this: what all of them know, and the refusal of a
-- bucket that is not the one the caller knows.
-- KEYS: meta, data, index, order, due, and two tables of commit ids.
-- ARGV[1]: the run that the caller knows; ARGV[2]: the newest revision that
-- the caller has seen in it.
local META, DATA, INDEX, ORDER, DUE = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

-- Numbers up to 2^53 are exact, and must not be written with an exponent.
local function number(n) return string.format('%.0f', n) end

local time = redis.call('TIME')
local NOW_US = time[1] * 1000000 + time[2]
local NOW = math.floor(NOW_US / 1000)

local info = redis.call('INFO', 'replication')
if string.find(info, 'role:slave', 1, true) then return {'replica'} end
local LINEAGE = string.match(info, 'master_replid:(%x+)') or ''

local known = redis.call('HMGET', META, 'format', 'run', 'rev', 'lineage', 'forgotten', 'start', 'dues', 'ids')
local rev, forgotten = tonumber(known[3] or 0), tonumber(known[5] or 0)
local function met()
	return known[1] == '1' and known[2] == ARGV[1] and known[4] == LINEAGE and rev >= tonumber(ARGV[2])
end

-- starts tells whether a key is under a prefix.
local function starts(key, prefix) return string.sub(key, 1, #prefix) == prefix end

-- overdue tells whether a value has expired that is not yet a tombstone.
local function overdue() return redis.call('ZRANGEBYSCORE', DUE, '(0', NOW, 'LIMIT', 0, 1)[1] ~= nil end

-- whole tells whether the parts of the bucket fit together: they do not if one
-- of them was evicted or deleted. A part that is of another type is an error
-- here, before anything is written.
local function whole()
	local n = redis.call('HLEN', DATA)
	return redis.call('ZCARD', INDEX) == n and redis.call('ZCARD', ORDER) == n
		and redis.call('ZCARD', DUE) == tonumber(known[7] or 0)
end
