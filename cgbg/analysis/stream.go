package analysis

import "math/rand/v2"

type random = *rand.Rand

// Streams of random numbers, one for each purpose, so that no two of them share their draws.
const (
	streamSet = iota // populations and floors of one set
	StreamProfiles
	streamComparison
	streamDistribution
	streamMeans
	streamEvaluation
	streamCorrections
	StreamDifference
	StreamClipping
	StreamEnsemble
	StreamStarts
)

// Rng is the random state of a stream of a seed.
func Rng(seed int, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), 0x6576616c+stream))
}

// Repeats of random procedures: a standard error to 5 %, a floor to a tenth of its scatter.
const (
	Bootstraps   = 200
	FloorRepeats = 100
)
