package jetstream

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/minio/highwayhash"
)

// The server answers "not found" for a message whose checksum does not fit,
// and, when it has to rebuild its index after a crash, cuts a file off at the
// first such message: one bad bit can delete everything behind it, with no
// error. So all message files are read before the server may touch them.
//
// A record is its length (4 bytes, the highest bit for headers), sequence (8),
// time (8), length of the subject (2), subject, headers with their length (4)
// if any, payload, checksum (8); all little endian.
const (
	recordHeader   = 22
	recordChecksum = 8
	recordLongest  = 32 << 20
	recordHeaders  = 1 << 31
)

// errDamaged says that a file of the store is damaged.
var errDamaged = errors.New("jetstream: the store is damaged")

// verifyStore reads every message file under a server's directory and fails if
// one is damaged in its middle. A last record that was not written to its end
// is no damage: the server drops it, and it was never acknowledged as safe.
func verifyStore(dir string) error {
	var files []string
	err := filepath.WalkDir(filepath.Join(dir, "jetstream"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".blk" {
			files = append(files, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("jetstream: read the store: %w", err)
	}
	next := make(chan string)
	faults := make([]error, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i := range faults {
		wg.Go(func() {
			for path := range next {
				faults[i] = errors.Join(faults[i], verifyFile(path))
			}
		})
	}
	for _, path := range files {
		next <- path
	}
	close(next)
	wg.Wait()
	return errors.Join(faults...)
}

// verifyFile reads one message file.
func verifyFile(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("jetstream: read the store: %w", err)
	}
	// The checksum's key is the stream's name and the number of the file.
	stream := filepath.Base(filepath.Dir(filepath.Dir(path)))
	bad, after, err := findDamage(data, stream+"-"+strings.TrimSuffix(filepath.Base(path), ".blk"))
	if err != nil || after == 0 {
		return err
	}
	return fmt.Errorf("%w: %s at byte %d, with good messages behind it; nothing was changed", errDamaged, path, bad)
}

// findDamage returns the place of the first bad record, and how many bytes
// behind it the next good one is, zero if there is none.
func findDamage(data []byte, name string) (bad, after int, err error) {
	key := sha256.Sum256([]byte(name))
	hash, err := highwayhash.NewDigest64(key[:])
	if err != nil {
		return 0, 0, fmt.Errorf("jetstream: check the store: %w", err)
	}
	good := func(at int) int {
		subject, body, sum, size := splitRecord(data[at:])
		if size == 0 {
			return 0
		}
		hash.Reset()
		hash.Write(data[at+4 : at+20])
		hash.Write(subject)
		hash.Write(body)
		if !bytes.Equal(hash.Sum(nil), sum) {
			return 0
		}
		return size
	}
	for bad < len(data) {
		size := good(bad)
		if size == 0 {
			break
		}
		bad += size
	}
	for at := bad + 1; at+recordHeader+recordChecksum <= len(data); at++ {
		if good(at) > 0 {
			return bad, at - bad, nil
		}
	}
	return bad, 0, nil
}

// splitRecord takes the record at the start of data apart: what its checksum
// is made of besides the header, the checksum, and its size, zero if there can
// be no record here.
func splitRecord(data []byte) (subject, body, sum []byte, size int) {
	if len(data) < recordHeader+recordChecksum {
		return nil, nil, nil, 0
	}
	length := binary.LittleEndian.Uint32(data)
	size = int(length &^ recordHeaders)
	from := recordHeader + int(binary.LittleEndian.Uint16(data[20:]))
	subjectEnd := from
	if length&recordHeaders != 0 {
		from += 4
	}
	if size > recordLongest || size > len(data) || from+recordChecksum > size {
		return nil, nil, nil, 0
	}
	end := size - recordChecksum
	return data[recordHeader:subjectEnd], data[from:end], data[end:size], size
}

// damageRemedy adds what can be done to an error of verifyStore.
func damageRemedy(err error, o ServerOptions) error {
	if !errors.Is(err, errDamaged) {
		return err
	}
	if o.Cluster != nil {
		return fmt.Errorf("%w. Move %s away and start again: this node then takes everything from the others", err, o.Dir)
	}
	return fmt.Errorf("%w. Restore %s from a backup, or, to do without all that is behind the damage in that file, "+
		"cut it there with truncate -s BYTE FILE", err, o.Dir)
}
