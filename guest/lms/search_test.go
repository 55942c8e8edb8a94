package lms_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/lms"
)

// shelf is a small catalogue for the search tests.
var shelf = []lms.Course{
	{Code: "bread", Title: "Baking bread", Summary: "Flour, water and patience.", Level: 0, Category: "Food", Tags: []string{"baking", "Home"}, Teachers: []string{"Inês Falcão"}},
	{Code: "stars", Title: "Reading the sky", Summary: "Find your way by the stars; bring bread.", Level: 1, Category: "Science", Tags: []string{"astronomy"}, Teachers: []string{"Jürgen Groß"}},
	{Code: "datos", Title: "Leer datos sin engañarse", Summary: "Estadística para cada día.", Level: 2, Category: "science", Tags: []string{"estadística", "Bread"}, Teachers: []string{"Ana Baker"}},
	{Code: "start", Title: "Getting started", Summary: "An art of its own.", Level: 3, Category: "Étude", Tags: []string{"home"}, Teachers: []string{"Zoë Bread"}},
}

// codes returns the codes of courses in their order.
func codes(courses []lms.Course) string {
	var all []string
	for _, c := range courses {
		all = append(all, c.Code)
	}
	return strings.Join(all, " ")
}

func TestSearch(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query lms.Query
		want  string
	}{
		"nothing asked, everything found": {lms.Query{}, "bread stars datos start"},
		"title, tags, summary, teachers":  {lms.Query{Text: "bread"}, "bread datos stars start"},
		"case":                            {lms.Query{Text: "BAKING"}, "bread"},
		"accents in the text":             {lms.Query{Text: "enganarse"}, "datos"},
		"accents in the query":            {lms.Query{Text: "ENGAÑARSE"}, "datos"},
		"combining accents in the query":  {lms.Query{Text: "engan\u0303arse"}, "datos"},
		"sharp s":                         {lms.Query{Text: "gross"}, "stars"},
		"umlaut":                          {lms.Query{Text: "jurgen"}, "stars"},
		"all words must match":            {lms.Query{Text: "bread sky"}, "stars"},
		"words from several fields":       {lms.Query{Text: "groß astronomy sky patience"}, ""},
		"order of words does not matter":  {lms.Query{Text: "patience, bread!"}, "bread"},
		"start of a word before inside":   {lms.Query{Text: "art"}, "start"},
		"part of a word":                  {lms.Query{Text: "eading"}, "stars"},
		"only punctuation asks nothing":   {lms.Query{Text: " ... "}, "bread stars datos start"},
		"unknown word":                    {lms.Query{Text: "quantum"}, ""},
		"level":                           {lms.Query{Level: "2"}, "datos"},
		"level zero":                      {lms.Query{Level: "0"}, "bread"},
		"unknown level":                   {lms.Query{Level: "four"}, ""},
		"level with a sign":               {lms.Query{Level: "+1"}, ""},
		"category, case":                  {lms.Query{Category: "SCIENCE"}, "stars datos"},
		"category, accent":                {lms.Query{Category: "etude"}, "start"},
		"category is not searched inside": {lms.Query{Category: "sci"}, ""},
		"tag":                             {lms.Query{Tag: "HOME"}, "bread start"},
		"tag, accent":                     {lms.Query{Tag: "estadistica"}, "datos"},
		"everything at once":              {lms.Query{Text: "leer", Level: "2", Category: "Science", Tag: "bread"}, "datos"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := codes(lms.Search(shelf, tt.query)); got != tt.want {
				t.Errorf("Search(%+v) = %q, want %q", tt.query, got, tt.want)
			}
		})
	}
}

func TestSearchRanksStartOfWordFirst(t *testing.T) {
	t.Parallel()
	courses := []lms.Course{{Code: "inside", Title: "Restart"}, {Code: "begins", Title: "Artful"}}
	if got := codes(lms.Search(courses, lms.Query{Text: "art"})); got != "begins inside" {
		t.Errorf("got %q, want the word that begins with the query first", got)
	}
}

func TestSearchLooksAtABoundedText(t *testing.T) {
	t.Parallel()
	within := "bread" + strings.Repeat(" ", lms.MaxQueryRunes-5)
	if got := codes(lms.Search(shelf[:1], lms.Query{Text: within + "quantum"})); got != "bread" {
		t.Errorf("words after the limit changed the result: %q", got)
	}
	wide := strings.Repeat("é ", lms.MaxQueryRunes/2-1)
	if got := codes(lms.Search(shelf[:1], lms.Query{Text: wide + "qq"})); got != "" {
		t.Errorf("the limit counts bytes instead of runes: %q", got)
	}
}

// TestSearchProperties checks on random catalogues and queries what must hold
// for all: the result is a part of the input in which ties keep their order,
// more words never find more, and neither case nor the input is changed.
func TestSearchProperties(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	vocabulary := []string{"sun", "moon", "Sol", "señal", "wave", "WAVES", "über", "tide"}
	pick := func(n int) string {
		var all []string
		for range n {
			all = append(all, vocabulary[random.IntN(len(vocabulary))])
		}
		return strings.Join(all, " ")
	}
	for range 300 {
		courses := make([]lms.Course, random.IntN(12))
		for i := range courses {
			courses[i] = lms.Course{Code: string(rune('a' + i)), Title: pick(random.IntN(3)), Summary: pick(2), Tags: []string{pick(1)}}
		}
		before := codes(courses)
		text := pick(1 + random.IntN(2))
		found := lms.Search(courses, lms.Query{Text: text})
		narrower := lms.Search(courses, lms.Query{Text: text + " " + pick(1)})
		if upper := lms.Search(courses, lms.Query{Text: strings.ToUpper(text)}); codes(upper) != codes(found) {
			t.Fatalf("%q finds %q, in capitals %q", text, codes(found), codes(upper))
		}
		for _, c := range narrower {
			if !slices.ContainsFunc(found, func(f lms.Course) bool { return f.Code == c.Code }) {
				t.Fatalf("one more word than %q found %q anew", text, c.Code)
			}
		}
		for i := 1; i < len(found); i++ {
			a, b := found[i-1], found[i]
			if a.Title == b.Title && a.Summary == b.Summary && a.Tags[0] == b.Tags[0] && a.Code > b.Code {
				t.Fatalf("equal courses %s and %s changed places", a.Code, b.Code)
			}
		}
		if codes(courses) != before {
			t.Fatal("Search changed its input")
		}
	}
}

func TestCategoriesAndTags(t *testing.T) {
	t.Parallel()
	if got, want := lms.Categories(append(shelf[:4:4], lms.Course{})), []string{"Étude", "Food", "Science"}; !slices.Equal(got, want) {
		t.Errorf("Categories = %q, want %q", got, want)
	}
	if got, want := lms.Tags(shelf), []string{"astronomy", "baking", "Bread", "estadística", "Home"}; !slices.Equal(got, want) {
		t.Errorf("Tags = %q, want %q", got, want)
	}
	if got := lms.Tags(nil); len(got) != 0 {
		t.Errorf("Tags(nil) = %q", got)
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                  "",
		"ÁÉÍÓÚÜÑ":           "aeiouun",
		"São João, coração": "sao joao, coracao",
		"Œuvre à l’été":     "oeuvre a l’ete",
		"Straße ÄÖÜ":        "strasse aou",
		"e\u0301":           "e",
		"Ελλάδα 2":          "ελλάδα 2",
	}
	for in, want := range tests {
		if got := lms.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzSearch feeds the search with text from outside: it must not panic, and
// a query made from a course's own title must find the course.
func FuzzSearch(f *testing.F) {
	for _, seed := range []string{"bread", "ENGAÑARSE", "a\u0301", "\xff\xfe", "İstanbul", "   ", "Straße-Bahn"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len([]rune(text)) > lms.MaxQueryRunes {
			text = string([]rune(text)[:lms.MaxQueryRunes])
		}
		if once := lms.Fold(text); lms.Fold(once) != once {
			t.Errorf("Fold is not stable on %q", text)
		}
		if found := lms.Search([]lms.Course{{Title: text}}, lms.Query{Text: text}); len(found) != 1 {
			t.Errorf("%q does not find itself", text)
		}
	})
}
