"""Reads positions and forces of every frame of a TRR file with MDAnalysis; prints the seconds that the loop alone took.
With a third argument "whole": those of all, names read, bonds of all but water found, and its molecules made whole in each frame."""
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import MDAnalysis

start = time.perf_counter()
structure, trajectory, *whole = sys.argv[1:]
universe = MDAnalysis.Universe(structure, trajectory)  # makes the index of frames, which is not counted
if whole:
    solute = universe.select_atoms("not resname SOL")
    solute.guess_bonds()
else:
    start = time.perf_counter()
frames = 0
for ts in universe.trajectory:
    frames += len(ts.positions) == len(ts.forces)
    if whole:
        solute.unwrap(compound="fragments", inplace=False)
print(f"{time.perf_counter() - start:.4f} {frames}")
