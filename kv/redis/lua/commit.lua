-- A commit. ARGV: 5 its id, 6 the caller's idea of NOW when it sent the id
-- first, 7 how long after that it may run, 8 the number of conditions, 9 that
-- of writes; the conditions; the writes, each as key, ttl in ms ('' for ever,
-- '-' to delete), value.
if not met() then return {'run'} end
if not whole() then return {'damaged'} end

-- Ids are kept in two tables by turns, so that old ones go all at once.
local id, span = ARGV[5], tonumber(ARGV[7])
local turn = math.floor(NOW / (2 * span))
local mine, other = KEYS[6 + turn % 2], KEYS[7 - turn % 2]
local before = redis.call('HGET', mine, id) or redis.call('HGET', other, id)
if before then return {'ok', rev, NOW, tonumber(before)} end
if NOW > tonumber(ARGV[6]) + span then return {'late', rev, NOW} end

expire(50)
local checks, writes = tonumber(ARGV[8]), tonumber(ARGV[9])
if sweeping(10, checks) and overdue() then
	save()
	return {'due'}
end
local good, which = holds(10, checks)
if not good then
	save()
	return {'conflict', rev, NOW, which}
end
local at = 10 + 3 * checks
for _ = 1, writes do
	local key, ttl = ARGV[at], ARGV[at + 1]
	if ttl == '-' then
		bury(key, 2)
	else
		rev = rev + 1
		-- The end of the year 9999 is for ever.
		local expires = ttl == '' and 0 or math.min(NOW + tonumber(ttl), 253402300799999)
		put(key, record(1, expires) .. ARGV[at + 2], expires > 0 and expires or nil)
	end
	at = at + 3
end
-- A clock that was set back changes nothing until it has caught up.
local last = tonumber(known[8])
if turn > last then
	redis.call('UNLINK', mine)
	if turn > last + 1 then redis.call('UNLINK', other) end
	redis.call('HSET', META, 'ids', number(turn))
end
redis.call('HSET', mine, id, number(rev))
save()
return {'ok', rev, NOW, rev}
