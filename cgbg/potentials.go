package cgbg

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/data"
)

// potentials are one potential, or several of the same frames that weigh by their mean.
type potentials struct {
	members []*pmf.Model
	sum     string // of their files
}

// openPotentials reads potentials that belong to a flow, by all cards.
func openPotentials(ctx context.Context, b *backend.Backend, files []string, flowFile string,
	flowCard *Card) (p *potentials, err error) {
	p = &potentials{}
	defer func() {
		if err != nil {
			p.finalize()
		}
	}()
	var sums []string
	for _, file := range files {
		u, err := ReadPMF(b, file, flowFile, flowCard.Meta())
		if err != nil {
			return p, err
		}
		p.members = append(p.members, u)
		sum, err := data.Checksum(ctx, file)
		if err != nil {
			return p, err
		}
		if i := slices.Index(sums, sum); i >= 0 {
			return p, fmt.Errorf("cgbg: %s and %s are the same potential, which would count twice: give it once",
				files[i], file)
		}
		sums = append(sums, sum)
		p.sum += sum
	}
	return p, nil
}

func (p *potentials) finalize() {
	for _, u := range p.members {
		u.Finalize()
	}
}

// energies are those of every member, [members][n], kJ/mol. r: [n, beads, 3], nm.
func (p *potentials) energies(ctx context.Context, r []float64) (list [][]float64, err error) {
	for _, u := range p.members {
		e, err := u.Energy(ctx, r)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// energy is the mean of the members', [n]. Every member has a constant of its own, which no weight minds.
func (p *potentials) energy(ctx context.Context, r []float64) ([]float64, error) {
	list, err := p.energies(ctx, r)
	if err != nil {
		return nil, err
	}
	return meanOf(list), nil
}

func meanOf(list [][]float64) []float64 {
	if len(list) == 1 {
		return list[0]
	}
	mean := make([]float64, len(list[0]))
	for _, e := range list {
		for i, v := range e {
			mean[i] += v / float64(len(list))
		}
	}
	return mean
}

// instead names the members of an ensemble that are there where its own file is none; "" where there are none.
func instead(file string) string {
	var there []string
	for k := 1; ; k++ {
		member := Members(file, k+1)[k-1]
		if _, err := os.Stat(member); err != nil {
			break
		}
		there = append(there, member)
	}
	if len(there) == 0 {
		return ""
	}
	return ": it is an ensemble, whose models are files of their own; give them, with commas between: " +
		strings.Join(there, ",")
}

// Members are the files of an ensemble of n models: of pmf.npz pmf.1.npz and so on; of one model the file itself.
func Members(file string, n int) []string {
	if n <= 1 {
		return []string{file}
	}
	var files []string
	for k := range n {
		files = append(files, fmt.Sprintf("%s.%d.npz", strings.TrimSuffix(file, ".npz"), k+1))
	}
	return files
}
