"""Capped peptides, Ac-...-NHMe, from one-letter codes: coordinates by bond lengths, angles and torsions.

    python peptide.py AAA ala3.pdb

Residues without rings and charges: A, G, I, L, M, N, Q, S, T, V. Chains are stretched, phi -80 and psi 140
degrees; hydrogens are OpenMM's, and the energy is minimised in vacuo. Lengths and angles are typical, to start from.
"""

import io
import random
import sys

import numpy as np
import openmm as mm
from openmm import app, unit

NAMES = dict(A="ALA", G="GLY", I="ILE", L="LEU", M="MET", N="ASN", Q="GLN", S="SER", T="THR", V="VAL")
# Side chains beyond CB: atom, the three it hangs on (nearest last), torsion in degrees. CG2 gives I and T their
# chirality, 2S,3S and 2S,3R.
SIDE = dict(
    A=[], G=None,
    I=["CG1 N CA CB -60", "CG2 N CA CB 180", "CD1 CA CB CG1 180"],
    L=["CG N CA CB -60", "CD1 CA CB CG 180", "CD2 CA CB CG 60"],
    M=["CG N CA CB -60", "SD CA CB CG 180", "CE CB CG SD 180"],
    N=["CG N CA CB -60", "OD1 CA CB CG -30", "ND2 CA CB CG 150"],
    Q=["CG N CA CB -60", "CD CA CB CG 180", "OE1 CB CG CD -30", "NE2 CB CG CD 150"],
    S=["OG N CA CB 60"],
    T=["OG1 N CA CB 60", "CG2 N CA CB -60"],
    V=["CG1 N CA CB 180", "CG2 N CA CB -60"],
)
LENGTH = {("C", "C"): 0.153, ("C", "N"): 0.134, ("C", "O"): 0.123, ("C", "S"): 0.181}  # nm


def place(a, b, c, length, angle, torsion):
    """The point at this distance from c, with the angle (degrees) to b and the torsion to a."""
    angle, torsion = np.radians([angle, torsion])
    u = (c - b) / np.linalg.norm(c - b)
    v = np.cross(b - a, u)
    v /= np.linalg.norm(v)
    w = np.cross(v, u)
    return c + length * (-np.cos(angle) * u + np.sin(angle) * (np.cos(torsion) * w + np.sin(torsion) * v))


def heavy(sequence):
    """The residues of the chain: [(name, {atom: position})], without hydrogens, nm."""
    cap = {"CH3": np.zeros(3), "C": np.array([0.152, 0, 0])}
    cap["O"] = place(np.array([0, 0.1, 0]), cap["CH3"], cap["C"], 0.123, 121, 0)
    chain = [("ACE", cap)]
    start, carbon = cap["CH3"], cap["C"]  # what the peptide bond's torsion, and phi, are counted from
    n = place(cap["O"], start, carbon, 0.134, 116, 180)
    for code in sequence:
        ca = place(start, carbon, n, 0.146, 122, 180)
        c = place(carbon, n, ca, 0.153, 111, -80)
        at = {"N": n, "CA": ca}
        if SIDE[code] is not None:
            at["CB"] = place(carbon, n, ca, 0.153, 110, 160)  # L: a third of a turn below C
        for text in SIDE[code] or []:
            name, *on, torsion = text.split()
            planar = code in "NQ" and name[0] in "ON"
            length = 0.143 if name[0] == "O" and not planar else LENGTH[tuple(sorted((on[2][0], name[0])))]
            at[name] = place(*(at[k] for k in on), length, 120 if planar else 111, float(torsion))
        at |= {"C": c, "O": place(n, ca, c, 0.123, 121, -40)}
        chain.append((NAMES[code], at))
        start, carbon, n = ca, c, place(n, ca, c, 0.134, 116, 140)
    chain.append(("NME", {"N": n, "C": place(start, carbon, n, 0.146, 122, 180)}))
    return chain


def build(sequence, force_field="amber99sbildn.xml"):
    """The chain with hydrogens after minimisation: an OpenMM Modeller, residues numbered from 1."""
    unknown = sorted(set(sequence) - set(SIDE))
    if unknown or not sequence:
        sys.exit(f"sequence {sequence!r}: one or more of {', '.join(SIDE)}; other molecules come as --structure FILE")
    top, positions = app.Topology(), []
    chain = top.addChain("A")
    for number, (name, atoms) in enumerate(heavy(sequence), 1):
        residue = top.addResidue(name, chain, str(number))
        for atom, r in atoms.items():
            top.addAtom(atom, app.Element.getBySymbol(atom[0]), residue)
            positions.append(r)
    top.createStandardBonds()
    field = app.ForceField(force_field)
    random.seed(1)  # addHydrogens begins with places by chance
    model = app.Modeller(top, np.array(positions) * unit.nanometer)
    model.addHydrogens(field, platform=mm.Platform.getPlatformByName("Reference"))
    system = field.createSystem(model.topology, nonbondedMethod=app.NoCutoff)
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    context.setPositions(model.positions)
    mm.LocalEnergyMinimizer.minimize(context, 1)
    model.positions = context.getState(getPositions=True).getPositions()
    for atom in model.topology.atoms():
        if atom.residue.name == "NME" and atom.name == "C":
            atom.name = "CH3"  # as force fields have it; C is OpenMM's name
    return model


def write(sequence, path):
    """Writes the chain as a PDB file."""
    model, text = build(sequence), io.StringIO()
    app.PDBFile.writeFile(model.topology, model.positions, text, keepIds=True)
    with open(path, "w") as f:
        f.write(text.getvalue().split("\n", 1)[1])  # without the date, so that the file is the same again


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write(sys.argv[1], sys.argv[2])
