-- What scripts that write have in common. ARGV[3]: the channel that says that
-- something has changed; ARGV[4]: how long tombstones are kept, in ms.
local wrote = false

-- record is the head of a record: magic, version, kind, revision, when it was
-- written in microseconds and when it expires in milliseconds, or 0.
local function record(kind, expires) return struct.pack('>BBBI8I8I8', 76, 1, kind, rev, NOW_US, expires) end

-- put makes a record the newest of its key. Its due time is when the value
-- expires, or below zero when its tombstone is forgotten, or nil for never.
local function put(key, value, due)
	redis.call('HSET', DATA, key, value)
	redis.call('ZADD', ORDER, number(rev), key)
	redis.call('ZADD', INDEX, 0, key)
	if due then redis.call('ZADD', DUE, number(due), key) else redis.call('ZREM', DUE, key) end
	wrote = true
end

-- bury puts a tombstone: kind 2 for a deletion, 3 for an expiry.
local function bury(key, kind)
	rev = rev + 1
	put(key, record(kind, 0), -(NOW + tonumber(ARGV[4])))
end

-- expire makes at most so many tombstones of expired values, and forgets as
-- many old tombstones.
local function expire(most)
	for _, key in ipairs(redis.call('ZRANGEBYSCORE', DUE, '(0', NOW, 'LIMIT', 0, most)) do bury(key, 3) end
	for _, key in ipairs(redis.call('ZRANGEBYSCORE', DUE, number(-NOW), '(0', 'LIMIT', 0, most)) do
		forgotten = math.max(forgotten, tonumber(redis.call('ZSCORE', ORDER, key)))
		redis.call('HDEL', DATA, key)
		redis.call('ZREM', INDEX, key)
		redis.call('ZREM', ORDER, key)
		redis.call('ZREM', DUE, key)
		wrote = true
	end
end

-- save notes what has changed and tells the feeds, if anything has.
local function save()
	if not wrote then return end
	redis.call('HSET', META, 'rev', number(rev), 'forgotten', number(forgotten), 'dues', redis.call('ZCARD', DUE))
	redis.call('SPUBLISH', ARGV[3], number(rev))
end
