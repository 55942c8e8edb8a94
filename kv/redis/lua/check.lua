-- The conditions of a commit: n of them from ARGV[at] on, each as kind ('k' a
-- key, 'p' a prefix), key, revision.

-- changed tells whether anything under a prefix has changed since a revision.
-- It looks at the changes since then or at the keys there, whichever are fewer.
local function changed(prefix, since)
	if since > rev or since < forgotten or since < tonumber(known[6]) then return true end
	if prefix == '' then return since < rev end
	local newer = redis.call('ZCOUNT', ORDER, '(' .. number(since), '+inf')
	if newer == 0 then return false end
	local from, to = '[' .. prefix, '(' .. string.sub(prefix, 1, -2) .. '0'
	if newer <= redis.call('ZLEXCOUNT', INDEX, from, to) then
		local after = number(since)
		while true do
			local list = redis.call('ZRANGEBYSCORE', ORDER, '(' .. after, '+inf', 'LIMIT', 0, 1000, 'WITHSCORES')
			for i = 1, #list, 2 do
				if starts(list[i], prefix) then return true end
			end
			if #list < 2000 then return false end
			after = list[#list]
		end
	end
	while true do
		local list = redis.call('ZRANGEBYLEX', INDEX, from, to, 'LIMIT', 0, 1000)
		for _, key in ipairs(list) do
			if tonumber(redis.call('ZSCORE', ORDER, key)) > since then return true end
		end
		if #list < 1000 then return false end
		from = '(' .. list[#list]
	end
end

-- holds tells whether all conditions hold; if not, which does not.
local function holds(at, n)
	for i = 1, n do
		local kind, key, want = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
		at = at + 3
		if kind == 'p' then
			if changed(key, want) then return false, i end
		else
			local r = redis.call('ZSCORE', ORDER, key)
			local due = r and redis.call('ZSCORE', DUE, key)
			-- Tombstones have a time below zero.
			if not r or due and tonumber(due) <= NOW then r = 0 end
			if tonumber(r) ~= want then return false, i end
		end
	end
	return true
end

-- sweeping tells whether a condition is on a prefix.
local function sweeping(at, n)
	for i = 0, n - 1 do
		if ARGV[at + 3 * i] == 'p' then return true end
	end
	return false
end
