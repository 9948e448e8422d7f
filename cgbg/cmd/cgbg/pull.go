package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/hub"
	"github.com/cgbg-go/lab/data/npz"
)

const pullUsage = `usage: go run ./cgbg/cmd/cgbg pull [-o FILE] NAME

Fetches a published set of the paper from the Hugging Face hub (bojuntum/CGPeptides, MIT
licence), checks it, keeps it in a cache, and converts it to Arrow frames. A download that
breaks off goes on where it stopped. NAME is one of

  ala2/heavy_atom/unbiased    SYSTEM/MAP/SAMPLING: ala2, ala3, ala6; heavy_atom, core_beta;
                              unbiased, biased (the forces never have the bias)
  ala2/implicit               a set in implicit water
  MB/pmf_ub/flow_ub           Mueller-Brown, a folder of the set; copied as NPZ
  Ac-Ala-NHMe/.../data.npz    any file of the set, copied as it is

HF_TOKEN and HF_ENDPOINT are respected; CGBG_HUB_CACHE moves the cache.

`

// publishedSet is the set of the paper's authors.
const publishedSet = "bojuntum/CGPeptides"

var publishedSystems = map[string]struct {
	folder   string
	residues int
}{"ala2": {"Ac-Ala-NHMe", 1}, "ala3": {"Ac-Ala3-NHMe", 3}, "ala6": {"Ac-Ala6-NHMe", 6}}

// published is what a name stands for.
type published struct {
	file    string // in the set
	convert bool   // to Arrow
	system  string
	mapping string
	beads   []string // nil where only the file knows
}

// parsePublished turns a name into a file of the set.
func parsePublished(name string) (published, error) {
	wrong := func() (published, error) {
		return published{}, fmt.Errorf("%w: there is no set %q: SYSTEM/MAP/SAMPLING with ala2, ala3 or ala6, "+
			"heavy_atom or core_beta, unbiased or biased; SYSTEM/implicit; MB/PMF/FLOW; or a file of the set", errUsage,
			name)
	}
	parts := strings.Split(name, "/")
	if slices.Contains(parts, "") || slices.Contains(parts, "..") {
		return wrong()
	}
	if filepath.Ext(name) != "" {
		return published{file: name}, nil
	}
	if parts[0] == "MB" {
		if len(parts) != 3 {
			return wrong()
		}
		return published{file: name + "/data.npz"}, nil
	}
	system, ok := publishedSystems[parts[0]]
	if !ok {
		return wrong()
	}
	p := published{convert: true, system: system.folder}
	if len(parts) == 2 && parts[1] == "implicit" {
		p.file, p.mapping = system.folder+"/implicit/data.npz", "as published"
		return p, nil
	}
	side, ok := map[string]string{"unbiased": "ub", "biased": "b"}[parts[len(parts)-1]]
	if len(parts) != 3 || !ok {
		return wrong()
	}
	switch parts[1] {
	case "heavy_atom":
		p.mapping, p.beads = "heavy-atom", heavyBeads(system.residues)
	case "core_beta":
		p.mapping, p.beads = "core-beta", coreBeads(system.residues)
	default:
		return wrong()
	}
	p.file = fmt.Sprintf("%s/explicit/%s/pmf_%s/flow_%s/data.npz", system.folder, parts[1], side, side)
	return p, nil
}

// heavyBeads are the beads of the published heavy-atom sets, in their order.
func heavyBeads(residues int) []string {
	beads := []string{"ACE1:CH3", "ACE1:C", "ACE1:O"}
	for r := 2; r < residues+2; r++ {
		for _, atom := range []string{"N", "CA", "CB", "C", "O"} {
			beads = append(beads, fmt.Sprintf("ALA%d:%s", r, atom))
		}
	}
	return append(beads, fmt.Sprintf("NME%d:N", residues+2), fmt.Sprintf("NME%d:CH3", residues+2))
}

// coreBeads are those of the core-beta sets; one residue has neighbours.
func coreBeads(residues int) []string {
	var beads []string
	for r := 2; r < residues+2; r++ {
		for _, atom := range []string{"N", "CA", "CB", "C"} {
			beads = append(beads, fmt.Sprintf("ALA%d:%s", r, atom))
		}
	}
	if residues == 1 {
		return slices.Concat([]string{"ACE1:C"}, beads, []string{"NME3:N"})
	}
	return beads
}

// pullCommand is `cgbg pull`.
// pullBatch is how many frames are written at once.
const pullBatch = 1000

func pullCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("pull", flag.ContinueOnError)
	out := fs.String("o", "", "`file` to write; by default the name with _ for /, in this folder")
	revision := fs.String("revision", "main", "`branch`, tag or commit of the set")
	rest, done, err := parse(fs, pullUsage, args, stdout)
	switch {
	case err != nil || done:
		return err
	case len(rest) != 1:
		return fmt.Errorf("%w: pull takes one name (-h explains)", errUsage)
	}
	p, err := parsePublished(strings.TrimSuffix(rest[0], "/"))
	if err != nil {
		return err
	}
	if *out == "" {
		base := strings.TrimSuffix(strings.ReplaceAll(rest[0], "/", "_"), filepath.Ext(rest[0]))
		if *out = base + filepath.Ext(p.file); p.convert {
			*out = base + ".arrow"
		}
	}
	if err := cli.CheckPaths([]string{*out}, nil); err != nil {
		return err
	}
	client := &hub.Client{Progress: downloadLine(os.Stderr)}
	path, err := client.Fetch(ctx, publishedSet, *revision, p.file)
	if err != nil {
		return err
	}
	if err := cli.CheckPaths([]string{*out}, []string{path}); err != nil { // a file of the cache
		return err
	}
	if !p.convert {
		if err := copyFile(ctx, *out, path); err != nil {
			return err
		}
		fmt.Fprintln(stdout, *out)
		return nil
	}
	n, err := convertPublished(ctx, *out, path, &p)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %d frames\n", *out, n)
	return nil
}

// convertPublished writes an NPZ file of beads as Arrow frames.
func convertPublished(ctx context.Context, out, path string, p *published) (int, error) {
	r, err := npz.Open(path)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	if p.beads != nil && r.Atoms() != len(p.beads) {
		return 0, fmt.Errorf("%s has %d beads, the map %s of %s has %d", p.file, r.Atoms(), p.mapping, p.system,
			len(p.beads))
	}
	for i := len(p.beads); i < r.Atoms(); i++ {
		p.beads = append(p.beads, fmt.Sprintf("BEAD%d", i+1))
	}
	sum, err := data.Checksum(ctx, path)
	if err != nil {
		return 0, err
	}
	var w *data.Writer
	batch := &data.Frames{Beads: r.Atoms(), Dim: 3}
	flush := func() error {
		if w == nil { // species are known once a frame is read
			w, err = data.Create(out,
				data.Meta{System: p.system, Mapping: p.mapping, Beads: p.beads, Species: r.Species(), Temperature: 300,
					ForceField: "as published", Generator: "cgbg pull", Source: publishedSet + "/" +
						p.file, SourceSHA: sum})
			if err != nil {
				return err
			}
		}
		err := w.Append(batch)
		batch = &data.Frames{Beads: r.Atoms(), Dim: 3}
		return err
	}
	defer func() {
		if w != nil {
			w.Abort() // does nothing after Close
		}
	}()
	var f gromacs.Frame
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		err := r.Next(&f)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		batch.R, batch.F = append(batch.R, f.R...), append(batch.F, f.F...)
		if r.HasEnergies() {
			batch.U = append(batch.U, r.Energy())
		}
		if batch.Len() == pullBatch {
			if err := flush(); err != nil {
				return 0, err
			}
		}
	}
	if batch.Len() > 0 {
		if err := flush(); err != nil {
			return 0, err
		}
	}
	return w.Len(), w.Close()
}

func copyFile(ctx context.Context, dst, src string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	return writeFile(dst, func(w io.Writer) error {
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, err := io.CopyN(w, in, 1<<20); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	})
}

// downloadLine reports a download twice a second.
func downloadLine(w io.Writer) func(done, total int64) {
	var last time.Time
	start, first := time.Now(), int64(-1)
	return func(done, total int64) {
		if first < 0 {
			first = done
		}
		if time.Since(last) < 500*time.Millisecond && done != total {
			return
		}
		last = time.Now()
		rate := float64(done-first) / time.Since(start).Seconds()
		line := fmt.Sprintf("\r%.1f MB", float64(done)/1e6)
		if total > 0 && rate > 0 {
			line += fmt.Sprintf(" of %.1f MB, %.1f MB/s, %.0f s left", float64(total)/1e6, rate/1e6,
				float64(total-done)/rate)
		}
		if done == total {
			line += "\n"
		}
		fmt.Fprintf(w, "%-60s", line)
	}
}
