-- One step of a scan: the changes since the last step, and if those are all,
-- the next keys. So after the last step the caller has one snapshot.
-- ARGV: 3 prefix, 4 and 5 the range of keys, 6 revision of the last step or
-- empty, 7 most keys, 8 most bytes, 9 most changes.
if not met() then return {'run'} end
if overdue() then return {'due'} end
local prefix, since, most = ARGV[3], ARGV[6], tonumber(ARGV[8])
local changed, entries, bytes, complete = {}, {}, 0, true
if since ~= '' then
	local list = redis.call('ZRANGEBYSCORE', ORDER, '(' .. since, '+inf', 'LIMIT', 0, ARGV[9], 'WITHSCORES')
	complete = #list < 2 * tonumber(ARGV[9])
	for i = 1, #list, 2 do
		since = list[i + 1]
		if starts(list[i], prefix) then
			local v = redis.call('HGET', DATA, list[i])
			changed[#changed + 1], changed[#changed + 2] = list[i], v
			bytes = bytes + #v
			if bytes > most then complete = complete and i + 2 > #list; break end
		end
	end
end
local ended, last = false, ''
if complete then
	since = number(rev)
	local list = redis.call('ZRANGEBYLEX', INDEX, ARGV[4], ARGV[5], 'LIMIT', 0, ARGV[7])
	ended = #list < tonumber(ARGV[7])
	for i, key in ipairs(list) do
		local v = redis.call('HGET', DATA, key)
		last = key
		if string.byte(v, 3) == 1 then
			entries[#entries + 1], entries[#entries + 2] = key, v
			bytes = bytes + #v
			if bytes > most then ended = ended and i == #list; break end
		end
	end
end
return {'ok', rev, NOW, complete and 1 or 0, since, ended and 1 or 0, last, changed, entries}
