package debug

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

const (
	// gatherTimeout is how long a scrape waits for the other workers of a
	// node; one that was just killed does not answer.
	gatherTimeout = 500 * time.Millisecond
	// maxMeasurements bounds what one worker may say, in bytes; it says some
	// 100 KB.
	maxMeasurements = 16 << 20
)

// socket is where a worker tells its measurements, in a directory that the
// workers of a node share.
func socket(dir, worker string) string { return filepath.Join(dir, "metrics-"+worker) }

// Share lets other workers of the node ask for this process's measurements, by
// a socket in dir, until it is closed. One that a killed worker of the same
// number left behind is replaced.
func (m *Metrics) Share(dir string) (io.Closer, error) {
	path := socket(dir, m.worker)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("debug: the measurements cannot be shared: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("debug: the measurements cannot be shared: %w", err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go m.tell(c)
		}
	}()
	return l, nil
}

// tell writes the measurements to one asker, who gives up by itself.
func (m *Metrics) tell(c net.Conn) {
	defer c.Close()
	if text, err := m.encode(); err == nil && c.SetDeadline(time.Now().Add(gatherTimeout)) == nil {
		_, _ = c.Write(text)
	}
}

func (m *Metrics) encode() ([]byte, error) {
	families, err := m.registry.Gather()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	e := expfmt.NewEncoder(&text, expfmt.NewFormat(expfmt.TypeProtoDelim))
	for _, f := range families {
		if err := e.Encode(f); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// Peers gathers the measurements of the node's other workers, so that a
// scrape shows all of them whichever worker answers it. A worker that is gone
// has nothing to say.
func (m *Metrics) Peers(dir string, workers int) prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		told := make([][]byte, workers)
		var wait sync.WaitGroup
		for i := range workers {
			if name := strconv.Itoa(i); name != m.worker {
				wait.Go(func() { told[i] = listen(socket(dir, name)) })
			}
		}
		wait.Wait()
		var all prometheus.Gatherers
		for _, data := range told {
			families, err := decode(data)
			if err != nil {
				return nil, err
			}
			all = append(all, prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil }))
		}
		return all.Gather()
	})
}

// listen reads what a worker tells, nothing if it does not answer in time.
func listen(path string) []byte {
	c, err := net.DialTimeout("unix", path, gatherTimeout)
	if err != nil {
		return nil
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(gatherTimeout)); err != nil {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(c, maxMeasurements))
	if err != nil {
		return nil
	}
	return data
}

// errMeasurements says that bytes are not what encode writes.
var errMeasurements = errors.New("debug: another worker's measurements are malformed")

// decode reads what encode wrote. The lengths are checked first: the library
// makes room for whatever length it is told.
func decode(data []byte) ([]*dto.MetricFamily, error) {
	for rest := data; len(rest) > 0; {
		length, size := binary.Uvarint(rest)
		if size <= 0 || length > uint64(len(rest)-size) {
			return nil, errMeasurements
		}
		rest = rest[size+int(length):]
	}
	var families []*dto.MetricFamily
	d := expfmt.NewDecoder(bytes.NewReader(data), expfmt.NewFormat(expfmt.TypeProtoDelim))
	for {
		f := &dto.MetricFamily{}
		switch err := d.Decode(f); {
		case errors.Is(err, io.EOF):
			return families, nil
		case err != nil:
			return nil, fmt.Errorf("%w: %w", errMeasurements, err)
		}
		families = append(families, f)
	}
}
