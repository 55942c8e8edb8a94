package debug

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

const (
	// metricsSubject is where a scrape asks the other workers of a node.
	metricsSubject = "lectern.metrics"
	// gatherTimeout is how long a scrape waits for them; one that was just
	// killed does not answer.
	gatherTimeout = 500 * time.Millisecond
)

// Share lets other workers of the node ask for this process's measurements,
// until the connection ends. It does not answer itself.
func (m *Metrics) Share(nc *nats.Conn) error {
	_, err := nc.Subscribe(metricsSubject, func(msg *nats.Msg) {
		if string(msg.Data) == m.worker {
			return
		}
		if text, err := m.encode(); err == nil {
			_ = msg.Respond(text) // the asker gives up by itself
		}
	})
	return err
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
// scrape shows all of them whichever worker answers it.
func (m *Metrics) Peers(nc *nats.Conn, workers int) prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		inbox := nc.NewRespInbox()
		replies, err := nc.SubscribeSync(inbox)
		if err != nil {
			return nil, fmt.Errorf("debug: the other workers cannot be asked: %w", err)
		}
		defer replies.Unsubscribe()
		if err := nc.PublishRequest(metricsSubject, inbox, []byte(m.worker)); err != nil {
			return nil, fmt.Errorf("debug: the other workers cannot be asked: %w", err)
		}
		var all prometheus.Gatherers
		deadline := time.Now().Add(gatherTimeout)
		for range workers - 1 {
			msg, err := replies.NextMsg(time.Until(deadline))
			if err != nil {
				break // a worker that is gone has nothing to say
			}
			families, err := decode(msg.Data)
			if err != nil {
				return nil, err
			}
			all = append(all, prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil }))
		}
		return all.Gather()
	})
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
