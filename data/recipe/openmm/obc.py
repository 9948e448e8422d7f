"""Molecular dynamics of a small molecule in generalized Born water (OBC1, OBC2) or in vacuo with OpenMM.

Writes positions and forces as GROMACS .trr trajectories, one per replica, and, for
well-tempered metadynamics on phi and psi, the bias as a grid in PLUMED's format. Forces
never hold the bias. An interrupted run goes on where its checkpoint stands; a finished
one is lengthened by a larger --ns.

    pip install -r requirements.txt
    python obc.py --structure ala2.pdb --solvent obc2 --ns 100 --out unbiased
    python obc.py --structure ala2.pdb --solvent obc2 --ns 10 --gamma 9 --out metad9
    python obc.py --sequence AAA --solvent obc2 --ns 10 --gamma 9 --residue 3 --out ala3
    python obc.py --structure butane.pdb --force-field trappe.xml --solvent none --ns 100 --out butane
"""

import argparse
import hashlib
import json
import os
import signal
import struct
import sys
import time

import numpy as np
import openmm as mm
from openmm import app, unit

import peptide

FORCE_FIELD = "amber99sbildn.xml"
SPACING = 6.0  # nm between replicas
CUTOFF = 2.5  # nm, above the extent of alanine dipeptide, so that it cuts nothing
BIAS_BINS = 90  # per dihedral
CHUNK = 1000  # frames between checkpoints
HILL_STEPS, HILL_HEIGHT, HILL_WIDTH = 500, 1.2, 0.35  # steps, kJ/mol, rad


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n", 1)[1],
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    molecule = p.add_mutually_exclusive_group(required=True)
    molecule.add_argument("--structure", help="PDB file")
    molecule.add_argument("--sequence", help="of a capped peptide (AAA: Ac-Ala3-NHMe), built and kept as structure.pdb")
    p.add_argument("--out", required=True, help="folder to write")
    p.add_argument("--force-field", default=FORCE_FIELD,
                   help=f"OpenMM XML file, its own or yours (default {FORCE_FIELD})")
    p.add_argument("--solvent", choices=["none", "obc1", "obc2"], default="obc2")
    p.add_argument("--ns", type=float, required=True, help="length of each replica, ns")
    p.add_argument("--gamma", type=float, default=1, 
                   help="bias factor of well-tempered metadynamics; 1 is unbiased (default)")
    p.add_argument("--timestep", type=float, default=1, help="fs (default 1)")
    p.add_argument("--constraints", choices=["none", "h-bonds"], default="none")
    p.add_argument("--hydrogen-mass", type=float,
                   help="u, taken from the bonded atoms, for longer steps; distributions stay (default: 1.008)")
    p.add_argument("--interval", type=float, default=0.5, help="ps between frames (default 0.5)")
    p.add_argument("--replicas", type=int, default=1,
                   help="independent copies in one system, unbiased only; they make OBC1 quicker (16)")
    p.add_argument("--equilibration", type=float, default=100, help="ps to discard at the start (default 100)")
    p.add_argument("--temperature", type=float, default=300, help="K")
    p.add_argument("--friction", type=float, default=1, help="1/ps")
    p.add_argument("--residue", help="number of the residue whose phi and psi metadynamics biases, "
                   "where several have both (3, or 3A with an insertion code)")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    if a.gamma < 1 or (a.gamma > 1 and a.replicas > 1) or a.replicas < 1 or a.seed < 1:
        p.error("--gamma and --seed are at least 1, and metadynamics has one replica")
    return a


def native(system):
    """Puts OpenMM's own OBC2 in place of implicit/obc2.xml's CustomGBForce: the same model, forty times as fast."""
    for i, force in enumerate(system.getForces()):
        if not isinstance(force, mm.CustomGBForce):
            continue
        born = mm.GBSAOBCForce()
        for k in range(force.getNumParticles()):
            charge, offset_radius, scaled = force.getParticleParameters(k)
            born.addParticle(charge, offset_radius + 0.009, scaled / offset_radius)
        born.setNonbondedMethod(force.getNonbondedMethod())
        born.setCutoffDistance(force.getCutoffDistance())
        system.removeForce(i)
        system.addForce(born)
        return


def build(a):
    """Returns topology, system and positions (nm)."""
    pdb = app.PDBFile(a.structure)
    one = np.array(pdb.positions.value_in_unit(unit.nanometer))
    one -= one.mean(axis=0)
    model = app.Modeller(pdb.topology, one * unit.nanometer)
    for k in range(1, a.replicas):
        place = [SPACING * (k % 4), SPACING * (k // 4 % 4), SPACING * (k // 16)]
        model.add(pdb.topology, (one + place) * unit.nanometer)
    files = [a.force_field] + ([f"implicit/{a.solvent}.xml"] if a.solvent != "none" else [])
    system = app.ForceField(*files).createSystem(
        model.topology, nonbondedMethod=app.NoCutoff if a.replicas == 1 else app.CutoffNonPeriodic,
        nonbondedCutoff=CUTOFF * unit.nanometer, removeCMMotion=False, hydrogenMass=a.hydrogen_mass,
        constraints=app.HBonds if a.constraints == "h-bonds" else None)
    for force in system.getForces():
        if isinstance(force, mm.NonbondedForce):
            force.setReactionFieldDielectric(1)  # plain Coulomb inside the cut-off
    if a.solvent == "obc2":
        native(system)
    return model.topology, system, model.positions


def backbone(topology):
    """The residues that have phi and psi, by atom names: {"ALA2": (number, phi, psi)}, with the dihedrals' atoms."""
    found = {}
    residues = list(topology.residues())
    for before, r, after in zip(residues, residues[1:], residues[2:]):
        if before.chain is not r.chain or after.chain is not r.chain:
            continue
        last, own, following = ({x.name: x.index for x in group.atoms()} for group in (before, r, after))
        if "C" in last and {"N", "CA", "C"} <= own.keys() and "N" in following:
            n, ca, c = own["N"], own["CA"], own["C"]
            number = (r.id + r.insertionCode).strip()
            found[f"{r.name}{number}"] = (number, (last["C"], n, ca, c), (n, ca, c, following["N"]))
    return found


def biased(topology, residue):
    """The variables of metadynamics, {name: atoms}: phi and psi, or phi_ALA2 and so on where there are more."""
    found = backbone(topology)
    chosen = [name for name, (number, _, _) in found.items() if residue in (None, number, name)]
    if len(chosen) != 1:
        sys.exit(f"--residue {residue or 'is missing'}: phi and psi of one residue are biased; "
                 f"those that have both: {', '.join(found) or 'none'}")
    end = "" if len(found) == 1 else "_" + chosen[0]
    _, phi, psi = found[chosen[0]]
    return {"phi" + end: phi, "psi" + end: psi}


def metadynamics(a, topology, system):
    """Returns OpenMM's metadynamics, and the names of its variables."""
    variables = []
    chosen = biased(topology, a.residue)
    for atoms in chosen.values():
        torsion = mm.CustomTorsionForce("theta")
        torsion.addTorsion(*atoms)
        variables.append(app.BiasVariable(torsion, -np.pi, np.pi, HILL_WIDTH, True, BIAS_BINS + 1))
    return app.Metadynamics(system, variables, a.temperature, a.gamma, HILL_HEIGHT, HILL_STEPS), list(chosen)


def trr_frame(step, ps, positions, forces):
    """One frame in single precision (nm, kJ/mol/nm), without a box."""
    n = len(positions)
    head = struct.pack(">iii12s13iff", 1993, 13, 12, b"GMX_trn_file", 0, 0, 0, 0, 0, 0, 0, 12 * n, 0, 12 * n, n,
                       step % 2**31, 0, ps, 0)
    return head + positions.astype(">f4").tobytes() + forces.astype(">f4").tobytes()


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def replace(path, data):
    with open(path + ".part", "wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    os.replace(path + ".part", path)


def write_bias(path, names, bias):
    """The bias (kJ/mol), [psi, phi] with the closing points, as a PLUMED grid of variables with these names."""
    lines = [f"#! FIELDS {names[0]} {names[1]} metad.bias"]
    for name in names:
        lines += [f"#! SET min_{name} -pi", f"#! SET max_{name} pi", f"#! SET nbins_{name} {BIAS_BINS}",
                  f"#! SET periodic_{name} true"]
    angle = np.linspace(-np.pi, np.pi, BIAS_BINS + 1)
    for i in range(BIAS_BINS):
        for k in range(BIAS_BINS):
            lines.append(f"{angle[k]:.6f} {angle[i]:.6f} {bias[i, k]:.5f}")
    replace(path, ("\n".join(lines) + "\n").encode())


def main():
    a = arguments()
    stop = []
    for s in (signal.SIGINT, signal.SIGTERM):
        signal.signal(s, lambda *_: stop.append(1))
    os.makedirs(a.out, exist_ok=True)
    settings = {k: v for k, v in vars(a).items() if k not in ("out", "ns", "structure")}
    if a.sequence:
        a.structure = os.path.join(a.out, "structure.pdb")
        if not os.path.exists(a.structure):
            peptide.write(a.sequence, a.structure)
    settings |= {"openmm": mm.__version__, "structure": os.path.basename(a.structure),
                 "structure_sha256": sha256(a.structure)}
    if os.path.exists(a.force_field):  # else it is OpenMM's
        settings |= {"force_field": os.path.basename(a.force_field), "force_field_sha256": sha256(a.force_field)}
    if a.gamma > 1:
        settings |= {"hill_steps": HILL_STEPS, "hill_height": HILL_HEIGHT, "hill_width": HILL_WIDTH}
    note = os.path.join(a.out, "run.json")
    if os.path.exists(note):
        old = json.load(open(note))
        old.pop("ns")
        changed = [k for k in settings if settings[k] != old.get(k)]
        if changed:
            sys.exit(f"{a.out} holds a run with other settings ({', '.join(changed)}); take another --out")

    topology, system, positions = build(a)
    meta, names = metadynamics(a, topology, system) if a.gamma > 1 else (None, None)
    integrator = mm.LangevinMiddleIntegrator(a.temperature, a.friction / unit.picosecond, a.timestep * unit.femtosecond)
    integrator.setRandomNumberSeed(a.seed)
    name = "Reference" if a.solvent != "obc1" and a.replicas == 1 else "CPU"
    properties = {"Threads": "1", "DeterministicForces": "true"} if name == "CPU" else {}
    sim = app.Simulation(topology, system, integrator, mm.Platform.getPlatformByName(name), properties)
    atoms = system.getNumParticles() // a.replicas
    stride = round(a.interval * 1000 / a.timestep)
    frames = round(a.ns * 1000 / a.interval)
    size = 84 + 24 * atoms
    files = [os.path.join(a.out, f"{k + 1:02d}.trr") for k in range(a.replicas)]
    state = os.path.join(a.out, "checkpoint.npz")

    done = 0
    if os.path.exists(state):
        saved = np.load(state)
        done = int(saved["frames"])
        sim.context.setPositions(positions)
        sim.context.loadCheckpoint(saved["context"].tobytes())
        sim.currentStep = int(saved["step"])
        if meta:
            meta._selfBias[:], meta._totalBias[:] = saved["bias"], saved["bias"]
            meta._table.setFunctionParameters(*meta._widths, meta._totalBias.flatten(), *meta._limits)
            meta._force.updateParametersInContext(sim.context)
    else:
        sim.context.setPositions(positions)
        sim.minimizeEnergy()
        sim.context.setVelocitiesToTemperature(a.temperature, a.seed)
        sim.step(round(a.equilibration * 1000 / a.timestep))
        sim.currentStep = 0
    for path in files:
        if os.path.exists(path) and os.path.getsize(path) < done * size:
            sys.exit(f"{path} is shorter than its checkpoint says; remove {a.out} and start again")
        with open(path, "ab") as f:
            f.truncate(done * size)
    settings["ns"] = a.ns
    replace(note, json.dumps(settings, indent=1).encode())

    start, first = time.time(), done
    while done < frames and not stop:
        chunk = [bytearray() for _ in files]
        for _ in range(min(CHUNK, frames - done)):
            if meta:
                meta.step(sim, stride)
            else:
                sim.step(stride)
            done += 1
            now = sim.context.getState(getPositions=True, getForces=True, groups={0})  # the bias is in another group
            r = now.getPositions(asNumpy=True)._value.reshape(a.replicas, atoms, 3)
            f = now.getForces(asNumpy=True)._value.reshape(a.replicas, atoms, 3)
            if not np.isfinite(f).all():
                sys.exit(f"{a.out}: the forces are not finite at frame {done}; take a shorter --timestep")
            for k in range(a.replicas):
                chunk[k] += trr_frame(sim.currentStep, done * a.interval, r[k] - r[k].mean(axis=0), f[k])
            if stop:
                break
        for path, data in zip(files, chunk):
            with open(path, "ab") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
        keep = {"frames": done, "step": sim.currentStep,
                "context": np.frombuffer(sim.context.createCheckpoint(), np.uint8)}
        if meta:
            keep["bias"] = meta._totalBias
            write_bias(os.path.join(a.out, "bias.dat"), names, meta._totalBias)
        with open(state + ".part", "wb") as out:
            np.savez(out, **keep)
            out.flush()
            os.fsync(out.fileno())
        os.replace(state + ".part", state)
        rate = (done - first) / (time.time() - start)
        print(f"{a.out}: {done * a.interval / 1000:.2f} of {a.ns:g} ns, "
              f"{rate * a.interval * 86.4 * a.replicas:.0f} ns/day, {(frames - done) / rate / 60:.1f} min left",
              flush=True)
    return 130 if stop else 0


if __name__ == "__main__":
    sys.exit(main())
