-- Meets a bucket: makes it if there is none, and begins a new run if the
-- server is not the one that wrote last (it was restarted, or another took its
-- place) or the bucket is older than the caller knows it. ARGV: 1 the epoch
-- that the caller knows or '', 2 the newest revision that it has seen in it,
-- 3 an epoch for a new bucket, 4 'create' if it may be made, 5 'reset' if it
-- may be emptied when it is damaged.
local meta = redis.call('HMGET', META, 'epoch', 'gen', 'start', 'gaps')
local exists = redis.call('EXISTS', DATA, INDEX, ORDER, DUE) > 0
if known[1] and known[1] ~= '1' then return {'format', known[1]} end
local damaged = not whole() or not known[1] and exists
if damaged and ARGV[5] ~= 'reset' then return {'damaged'} end
if damaged or not known[1] then
	if ARGV[4] ~= 'create' then return {'missing'} end
	redis.call('UNLINK', unpack(KEYS))
	-- Above the revisions of the bucket that was here before.
	rev = math.max(NOW_US, tonumber(ARGV[2]))
	meta = {ARGV[3], 1, number(rev), ''}
	redis.call('HSET', META, 'format', 1, 'epoch', meta[1], 'gen', 1, 'run', meta[1] .. ':1', 'lineage', LINEAGE,
		'rev', number(rev), 'start', number(rev), 'forgotten', number(rev), 'dues', 0, 'gaps', '', 'ids', 0)
elseif known[4] ~= LINEAGE or meta[1] == ARGV[1] and rev < tonumber(ARGV[2]) then
	-- Revisions between the two numbers of a gap may have been given out and
	-- lost. The clock keeps new ones above them.
	local start = math.max(NOW_US, rev, tonumber(ARGV[2])) + 1
	local gaps = (meta[4] == '' and '' or meta[4] .. ',') .. number(rev) .. '-' .. number(start)
	while #gaps > 1024 do
		forgotten = math.max(forgotten, tonumber(string.match(gaps, '^%d+%-(%d+)')))
		gaps = string.match(gaps, ',(.*)')
	end
	rev = start
	meta = {meta[1], meta[2] + 1, number(start), gaps}
	redis.call('HSET', META, 'gen', meta[2], 'run', meta[1] .. ':' .. meta[2], 'lineage', LINEAGE,
		'rev', number(rev), 'start', meta[3], 'forgotten', number(forgotten), 'gaps', gaps)
end
return {'ok', rev, NOW, meta[1], meta[1] .. ':' .. meta[2], meta[4]}
