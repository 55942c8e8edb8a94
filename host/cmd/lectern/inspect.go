package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/sizing"
)

// healthTimeout bounds a health check; orchestrators ask every few seconds.
const healthTimeout = 3 * time.Second

// showConfig prints the effective configuration, and the numbers that follow
// from it and from the machine.
func showConfig(_ context.Context, out io.Writer) error {
	cfg, err := config.Load(os.Environ())
	if err != nil {
		return err
	}
	plan, machine, err := planNode(cfg)
	if err != nil {
		return err
	}
	lines := plan.Lines
	if cfg.Workers == config.Auto {
		lines = append(lines, sizing.Compare(machine, wishes(cfg)))
	}
	if err := cfg.Print(out); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out); err != nil {
		return err
	}
	return sizing.Print(out, lines)
}

// healthcheck asks /readyz of the site that this configuration describes.
func healthcheck(ctx context.Context, out io.Writer) error {
	cfg, err := config.Load(os.Environ())
	if err != nil {
		return err
	}
	if cfg.Port == 0 {
		return errors.New("LMS_PORT is 0, so the port of the running site is unknown; set LMS_PORT to it")
	}
	host := cfg.Bind
	if ip := net.ParseIP(host); host == "" || host == "*" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	url := "http://" + net.JoinHostPort(host, strconv.Itoa(cfg.Port)) + "/readyz"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("no site answers at %s: %w", url, err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(out, io.LimitReader(response.Body, 64<<10)); err != nil {
		return fmt.Errorf("the answer of %s was cut off: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the site at %s is not ready (status %d)", url, response.StatusCode)
	}
	return nil
}

// version prints what this binary is made of.
func version(_ context.Context, out io.Writer) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this binary was built without module information")
	}
	commit := "unknown"
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value
		}
	}
	wazero, nats := "unknown", "unknown"
	for _, d := range info.Deps {
		switch d.Path {
		case "github.com/tetratelabs/wazero":
			wazero = d.Version
		case "github.com/nats-io/nats-server/v2":
			nats = d.Version
		}
	}
	_, err := fmt.Fprintf(out, "lectern %s\ncommit  %s\ngo      %s\nwazero  %s\nnats    %s\nabi     %d\n",
		info.Main.Version, commit, info.GoVersion, wazero, nats, abi.Version)
	return err
}
