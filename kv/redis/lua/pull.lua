-- The newest change of each key under a prefix after a revision, in order.
-- ARGV: 3 prefix, 4 after, 5 the revision from which on no deletion may be
-- forgotten or 0, 6 most changes, 7 most bytes.
if not met() then return {'run'} end
if tonumber(ARGV[5]) > 0 and tonumber(ARGV[5]) < forgotten then return {'forgotten', rev, NOW} end
if tonumber(ARGV[4]) > rev then return {'ahead', rev, NOW} end
local covered, entries, bytes = ARGV[4], {}, 0
local list = redis.call('ZRANGEBYSCORE', ORDER, '(' .. covered, '+inf', 'LIMIT', 0, ARGV[6], 'WITHSCORES')
local complete = #list < 2 * tonumber(ARGV[6])
for i = 1, #list, 2 do
	covered = list[i + 1]
	if starts(list[i], ARGV[3]) then
		local v = redis.call('HGET', DATA, list[i])
		entries[#entries + 1], entries[#entries + 2] = list[i], v
		bytes = bytes + #v
		if bytes > tonumber(ARGV[7]) then complete = complete and i + 2 > #list; break end
	end
end
if complete then covered = number(rev) end
return {'ok', rev, NOW, complete and 1 or 0, covered, entries}
