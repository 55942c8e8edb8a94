package kv

import "context"

// leastKey is the key of AtLeast's value in a context.
type leastKey struct{}

// AtLeast returns a context in which a cache over a Store answers nothing that
// is older than revision r: it waits for its feed, or asks the store below.
// Stores that are no caches need not look at it, since they always answer with
// the newest. The revision is that of the same store; zero asks for nothing.
func AtLeast(ctx context.Context, r Revision) context.Context {
	if r <= LeastRevision(ctx) {
		return ctx
	}
	return context.WithValue(ctx, leastKey{}, r)
}

// LeastRevision is what AtLeast has put into ctx, or zero.
func LeastRevision(ctx context.Context) Revision {
	r, _ := ctx.Value(leastKey{}).(Revision)
	return r
}

// Fencer is implemented by a Store that caches what it reads, in this process
// and in others.
type Fencer interface {
	// Fence returns when no process that caches this store answers any more
	// with something older than revision r. A process that does not say so is
	// waited for no longer than the time after which it stops answering by
	// itself. Whoever takes a right away (sign-out, a password change) calls it
	// before telling that it is done. The error is that of ctx or of the store;
	// the right is then taken away in the store, but some process may still
	// hold the old for the time of its lease.
	Fence(ctx context.Context, r Revision) error
}

// Settler is implemented by a Feed that leaves out changes which were
// overwritten before they were delivered: what replaced them may come later, so
// that in between a reader who applies the feed has not yet got to where the
// last change's revision says.
type Settler interface {
	// Settled reports whether every change up to the one that Next returned
	// last was delivered, or what replaced it was. It is called between two
	// calls of Next.
	Settled() bool
}
