package pool

import "time"

// Everything here is called with the pool's lock, but for what says otherwise.

// grow takes room for one more value in the books, if the lane may have it.
func (l *Lane[T]) grow() bool {
	if l.closed || l.live >= l.Most || !l.fits() {
		return false
	}
	l.live++
	l.pool.used += l.Cost
	return true
}

// fits reports whether the budget has room for one more of the lane's values,
// if need be in place of idle ones of other lanes.
func (l *Lane[T]) fits() bool {
	p := l.pool
	if p.limit == 0 || l.live < l.Spares {
		return true
	}
	if len(p.lanes) > 1 && int64(l.live+1)*l.Cost > p.limit/4*domination {
		return false
	}
	short := p.used + l.Cost - p.limit
	for _, other := range p.lanes {
		if short <= 0 {
			break
		}
		if other != l {
			short -= int64(other.dispensable()) * other.Cost
		}
	}
	return short <= 0
}

// dispensable is how many of its idle values a lane can do without.
func (l *Lane[T]) dispensable() int { return max(0, min(len(l.idle), l.live-l.Spares)) }

// shrink takes a value that is gone out of the books.
func (l *Lane[T]) shrink() {
	l.live--
	l.pool.used -= l.Cost
	if l.closed && l.live == 0 {
		close(l.empty)
	}
}

// ended are idle values on their way out.
type ended[T any] []func()

// destroy ends them; it is called without the lock.
func (e ended[T]) destroy() {
	for _, end := range e {
		end()
	}
}

// takeIdle takes the n values that were idle longest out of the lane.
func (l *Lane[T]) takeIdle(n int, reason string) (old ended[T]) {
	for _, i := range l.idle[:n] {
		old = append(old, func() { l.Destroy(i.value, reason) })
		l.shrink()
	}
	rest := copy(l.idle, l.idle[n:])
	clear(l.idle[rest:])
	l.idle = l.idle[:rest]
	return old
}

// makeRoom gives up idle values of other lanes, the longest idle first, until
// the books are within the limit.
func (p *Pool[T]) makeRoom(keep *Lane[T]) (old ended[T]) {
	for p.limit > 0 && p.used > p.limit {
		var from *Lane[T]
		for _, l := range p.lanes {
			if l != keep && l.dispensable() > 0 && (from == nil || l.idle[0].since.Before(from.idle[0].since)) {
				from = l
			}
		}
		if from == nil {
			return old // the spares alone are more than the budget
		}
		old = append(old, from.takeIdle(1, EndedRoom)...)
	}
	return old
}

// mustYield reports whether a value that has become free is to be given up
// for a lane that waits and has less of the memory, or waits where this one
// does not.
func (l *Lane[T]) mustYield() bool {
	if l.live <= l.Spares {
		return false
	}
	for _, other := range l.pool.lanes {
		if other == l || other.waiters.Len() == 0 || other.live >= other.Most {
			continue
		}
		if l.waiters.Len() == 0 || int64(other.live+1)*other.Cost < int64(l.live)*l.Cost {
			return true
		}
	}
	return false
}

// share gives room that has become free to those who wait: to the lane with
// the least memory first.
func (p *Pool[T]) share() {
	for p.waiting > 0 {
		var hungry *Lane[T]
		for _, l := range p.lanes {
			if l.waiters.Len() > 0 && l.live < l.Most && l.fits() &&
				(hungry == nil || int64(l.live)*l.Cost < int64(hungry.live)*hungry.Cost) {
				hungry = l
			}
		}
		if hungry == nil || !hungry.grow() {
			return
		}
		hungry.next().turn <- grant[T]{create: true, room: p.makeRoom(hungry)}
	}
}

// tick trims all lanes and asks to be called again while there are any. It is
// called without the lock.
func (p *Pool[T]) tick() {
	p.mu.Lock()
	before := time.Now().Add(-idleLife)
	var old ended[T]
	for _, l := range p.lanes {
		n := 0
		for n < l.dispensable() && l.idle[n].since.Before(before) {
			n++
		}
		old = append(old, l.takeIdle(n, EndedIdle)...)
	}
	if p.ticking = len(p.lanes) > 0; p.ticking {
		time.AfterFunc(trimEvery, p.tick)
	}
	p.share()
	p.mu.Unlock()
	old.destroy()
}

// refill makes the spares that are missing, in the background. It is called
// without the lock.
func (l *Lane[T]) refill() {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	if l.filling || l.closed || l.live >= l.Spares {
		return
	}
	l.filling = true
	go l.fill()
}

// fill makes spares until there are enough, or one cannot be made; then the
// next request tries again, and is told why. It is called without the lock.
func (l *Lane[T]) fill() {
	for {
		l.pool.mu.Lock()
		if l.live >= l.Spares || !l.grow() {
			l.filling = false
			l.pool.mu.Unlock()
			return
		}
		l.pool.mu.Unlock()
		v, err := l.Create()
		l.pool.mu.Lock()
		reason := ""
		if err == nil {
			reason = l.place(v)
		} else {
			l.shrink()
			l.filling = false
		}
		l.pool.mu.Unlock()
		if err != nil {
			return
		}
		if reason != "" {
			l.Destroy(v, reason)
			l.lose()
		}
	}
}
