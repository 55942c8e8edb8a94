-- ARGV[3]: the key.
if not met() then return {'run'} end
return {'ok', rev, NOW, redis.call('HGET', DATA, ARGV[3])}
