// Package sizing decides how a node uses its machine: how many worker
// processes, how much memory each, how many sandboxes.
package sizing
