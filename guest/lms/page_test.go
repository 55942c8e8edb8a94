package lms_test

import (
	"math"
	"slices"
	"testing"

	"github.com/lectern-lms/lectern/guest/lms"
)

func TestPaginate(t *testing.T) {
	t.Parallel()
	seven := []int{1, 2, 3, 4, 5, 6, 7}
	tests := map[string]struct {
		items         []int
		number, size  int
		want          []int
		current, last int
	}{
		"first":                {seven, 1, 3, []int{1, 2, 3}, 1, 3},
		"middle":               {seven, 2, 3, []int{4, 5, 6}, 2, 3},
		"last is short":        {seven, 3, 3, []int{7}, 3, 3},
		"exact":                {seven[:6], 2, 3, []int{4, 5, 6}, 2, 2},
		"below the first":      {seven, -5, 3, []int{1, 2, 3}, 1, 3},
		"beyond the last":      {seven, 99, 3, []int{7}, 3, 3},
		"empty":                {nil, 4, 3, nil, 1, 1},
		"no size":              {seven, 2, 0, []int{2}, 2, 7},
		"numbers at the limit": {seven, math.MaxInt, math.MaxInt, seven, 1, 1},
		"smallest numbers":     {seven, math.MinInt, math.MinInt, []int{1}, 1, 7},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page, current, pages := lms.Paginate(tt.items, tt.number, tt.size)
			if !slices.Equal(page, tt.want) || current != tt.current || pages != tt.last {
				t.Errorf("got %v, page %d of %d; want %v, page %d of %d", page, current, pages, tt.want, tt.current, tt.last)
			}
		})
	}
}

// TestPaginateShowsEachItemOnce puts the pages of many lists together again.
func TestPaginateShowsEachItemOnce(t *testing.T) {
	t.Parallel()
	for n := range 30 {
		items := make([]int, n)
		for i := range items {
			items[i] = i
		}
		for size := 1; size < 12; size++ {
			var all []int
			_, _, pages := lms.Paginate(items, 1, size)
			for p := 1; p <= pages; p++ {
				page, current, _ := lms.Paginate(items, p, size)
				if current != p || len(page) > size || (n > 0 && len(page) == 0) {
					t.Fatalf("%d items by %d: page %d is %v, numbered %d", n, size, p, page, current)
				}
				all = append(all, page...)
			}
			if !slices.Equal(all, items) {
				t.Fatalf("%d items by %d: the pages give %v", n, size, all)
			}
		}
	}
}

func TestPaginateCannotOverwriteTheNextPage(t *testing.T) {
	t.Parallel()
	items := []int{1, 2, 3}
	page, _, _ := lms.Paginate(items, 1, 2)
	if page = append(page, 9); items[2] != 3 || len(page) != 3 {
		t.Errorf("appending to a page changed the list: %v", items)
	}
}
