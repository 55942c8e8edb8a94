package lms

// Paginate cuts a list into pages of size items and returns one of them, with
// its number and how many there are. Numbers start at 1. A number outside the
// list is moved to the nearest page, so an old address still shows something;
// an empty list has one empty page. A size below 1 counts as 1.
func Paginate[T any](items []T, number, size int) (page []T, current, pages int) {
	size = max(size, 1)
	pages = 1
	if len(items) > 0 {
		pages = (len(items)-1)/size + 1
	}
	current = min(max(number, 1), pages)
	start := min((current-1)*size, len(items))
	end := len(items)
	if size < end-start {
		end = start + size
	}
	return items[start:end:end], current, pages
}
