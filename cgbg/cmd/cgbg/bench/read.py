"""Reads positions and forces of every frame of a TRR file with MDAnalysis; prints the seconds that the loop alone took."""
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import MDAnalysis

structure, trajectory = sys.argv[1:]
universe = MDAnalysis.Universe(structure, trajectory)  # makes the index of frames, which is not counted
start = time.perf_counter()
frames = 0
for ts in universe.trajectory:
    frames += len(ts.positions) == len(ts.forces)
print(f"{time.perf_counter() - start:.4f} {frames}")
