package engine

import "time"

// Observer receives the engine's measurements.
type Observer interface {
	// Handler gives the receiver for one handler; it is asked once per load.
	Handler(name string) Meter
}

// Meter receives the measurements of one handler; its methods are called from
// many goroutines, in the middle of requests.
type Meter interface {
	// Served reports a request; failure is "" or its cause.
	Served(took time.Duration, failure string)
	// Started reports that a sandbox was made.
	Started(took time.Duration)
	// Restored reports that a sandbox was brought back to its image, and how
	// many bytes had to be written for that.
	Restored(took time.Duration, bytes int)
	// Ended reports that all that a sandbox had was given up: for the cause of
	// a failure, after which it begins anew, or, with the sandbox itself, for
	// one of the reasons that package pool names.
	Ended(reason string)
}

// noMeter drops the measurements of an engine without an observer.
type noMeter struct{}

// Served implements Meter.
func (noMeter) Served(time.Duration, string) {}

// Started implements Meter.
func (noMeter) Started(time.Duration) {}

// Restored implements Meter.
func (noMeter) Restored(time.Duration, int) {}

// Ended implements Meter.
func (noMeter) Ended(string) {}
