package alanine

import "testing"

// What opening a target costs: a process that finds nothing in the run's folder, a later one, which finds what the
// first one kept, and a process that has opened the target before.
func BenchmarkOpen(b *testing.B) {
	forget := func() { references.sets = nil }
	for _, target := range Targets {
		open := func(b *testing.B, dir string) {
			if _, err := Open("quick", 1, dir, false, target, "cb"); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(target+"/first", func(b *testing.B) {
			for b.Loop() {
				forget()
				open(b, b.TempDir())
			}
		})
		b.Run(target+"/later", func(b *testing.B) {
			dir := b.TempDir()
			forget()
			open(b, dir)
			for b.Loop() {
				forget()
				open(b, dir)
			}
		})
		b.Run(target+"/again", func(b *testing.B) {
			dir := b.TempDir()
			for b.Loop() {
				open(b, dir)
			}
		})
	}
}
