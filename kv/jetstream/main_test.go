package jetstream

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets more tests run side by side than there are processors: those
// of clusters mostly wait, for elections and for nodes that start.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", "4"); err != nil {
			panic(err) // the flag is the testing package's own
		}
	}
	os.Exit(m.Run())
}
