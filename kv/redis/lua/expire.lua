-- Turns expired values into tombstones and forgets old ones. ARGV[5]: how many
-- at once. The answer tells whether there are more, and when the next expires.
if not met() then return {'run'} end
if not whole() then return {'damaged'} end
expire(tonumber(ARGV[5]))
save()
local next = redis.call('ZRANGEBYSCORE', DUE, '(0', '+inf', 'LIMIT', 0, 1, 'WITHSCORES')
return {'ok', rev, NOW, overdue() and 1 or 0, tonumber(next[2] or 0)}
