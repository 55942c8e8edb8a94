package templates

// searching reports whether a search asks for anything at all.
func searching(v ExploreView) bool {
	return v.Query != "" || v.Level != "" || v.Category != "" || v.Tag != ""
}

// pageNumbers are the pages a pager offers: the first, the last and those next
// to the current one; 0 stands for a gap.
func pageNumbers(page, pages int) []int {
	page = min(max(page, 1), pages)
	numbers := make([]int, 0, 7)
	for n := 1; n <= pages; n++ {
		if n == 1 || n == pages || n >= page-1 && n <= page+1 {
			if len(numbers) > 0 && numbers[len(numbers)-1] != n-1 {
				numbers = append(numbers, 0)
			}
			numbers = append(numbers, n)
			continue
		}
		// Skip at once to what is shown next: pages may be many.
		if n < page-1 {
			n = page - 2
		} else {
			n = pages - 1
		}
	}
	return numbers
}
