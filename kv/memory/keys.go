package memory

import (
	"iter"
	"slices"
	"strings"
)

// chunkSize is the most keys in one chunk of a keySet: small enough that an
// insertion moves few bytes, large enough that the list of chunks stays short.
const chunkSize = 512

// keySet is a set of keys in byte order: a sorted list of sorted chunks, none
// of them empty.
type keySet struct {
	chunks [][]string
}

// chunk returns the index of the chunk that holds key or would hold it; it is
// out of range only in an empty set.
func (k *keySet) chunk(key string) int {
	i, found := slices.BinarySearchFunc(k.chunks, key, func(c []string, key string) int {
		return strings.Compare(c[0], key)
	})
	if !found && i > 0 {
		i--
	}
	return i
}

// add puts key into the set.
func (k *keySet) add(key string) {
	if len(k.chunks) == 0 {
		k.chunks = [][]string{{key}}
		return
	}
	i := k.chunk(key)
	c := k.chunks[i]
	at, found := slices.BinarySearch(c, key)
	if found {
		return
	}
	c = slices.Insert(c, at, key)
	k.chunks[i] = c
	if len(c) > chunkSize {
		half := len(c) / 2
		k.chunks = slices.Insert(k.chunks, i+1, slices.Clone(c[half:]))
		k.chunks[i] = slices.Clip(c[:half])
	}
}

// remove takes key out of the set, if it is there.
func (k *keySet) remove(key string) {
	if len(k.chunks) == 0 {
		return
	}
	i := k.chunk(key)
	at, found := slices.BinarySearch(k.chunks[i], key)
	if !found {
		return
	}
	k.chunks[i] = slices.Delete(k.chunks[i], at, at+1)
	if len(k.chunks[i]) == 0 {
		k.chunks = slices.Delete(k.chunks, i, i+1)
	}
}

// from yields the keys that are not below start, in order. The set must not
// change meanwhile.
func (k *keySet) from(start string) iter.Seq[string] {
	return func(yield func(string) bool) {
		first := k.chunk(start)
		for i := first; i < len(k.chunks); i++ {
			c := k.chunks[i]
			at := 0
			if i == first {
				at, _ = slices.BinarySearch(c, start)
			}
			for _, key := range c[at:] {
				if !yield(key) {
					return
				}
			}
		}
	}
}
