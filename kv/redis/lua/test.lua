-- A commit that writes nothing. ARGV: 3 the number of conditions, then these.
if not met() then return {'run'} end
local n = tonumber(ARGV[3])
if sweeping(4, n) and overdue() then return {'due'} end
local good, which = holds(4, n)
if not good then return {'conflict', rev, NOW, which} end
return {'ok', rev, NOW}
