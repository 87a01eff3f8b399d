#!/usr/bin/env python3
"""What Monte Carlo dropout costs on a CPU: mcvol against a plain PyTorch loop, MONAI and the limit.

    bench/cpu_cost.py --network deepmedic --model BUNDLE --scan CASE
    bench/cpu_cost.py --network bundled
    bench/cpu_cost.py --network monai [--full]

The same scan, windows, measured voxels and threads for all, which take turns; ratios are of pairs.

mcvol: `predict`, whole processes and their `timings_s.network`, with one pass and with T; each runs
one more pass, without dropout. Plain: the network on each window, in batches of passes, adds up
per-pass volumes and the mean. MONAI: sliding_window_inference once per pass over the box of what is
measured. Both in the best of a few batch sizes, memory formats and, for plain, script or module, a
few passes scaled to T; reading the scan, importing and loading are left out. As written: plain,
batch 1, dropout of elements, fp32. Limit: the network's FLOPs at the rate of the best matrix product;
`split`: with what comes before the first dropout once per window.

--distribution N compares volumes of N passes of mcvol (native masks) with those of PyTorch, in place
of times. --ways mcvol needs no MONAI and takes any bundle. Needs torch, monai, nibabel and scipy.
"""
import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

# As mcvol: threads that spin for long make a shared machine useless (src/network/segmenter/network_library.cpp).
if "OMP_WAIT_POLICY" not in os.environ and "GOMP_SPINCOUNT" not in os.environ:
    os.environ["GOMP_SPINCOUNT"] = "3000"
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])

import torch

import mc_loops
from measured_process import PROGRAM, ROOT, Refused, inspect, predict, ratios, spread
from pytorch_ways import BATCHES, Way, counted_gflop, gemm_rate, gflop

WAYS = ("mcvol", "plain", "written", "monai", "limit")


class Workload:
    """A bundle, a scan, how to make its network anew ({form: function}), and all that is measured."""

    def __init__(self, name, bundle, scan, arguments, networks=None):
        self.name, self.bundle, self.scan = name, Path(bundle), Path(scan)
        self.inspected = inspect(arguments.mcvol, bundle)
        self.description = json.loads((self.bundle / "model.json").read_text(encoding="utf-8"))
        self.loops, self.precisions = {}, []
        self.mcvol, self.ways, self.rates = {}, {}, {}  # samples; {name: Way}; GFLOP/s
        if set(arguments.ways) == {"mcvol"} and not arguments.distribution:
            return
        rate = self.inspected["dropout"][0]["rate"]
        self.networks = networks or {"module": lambda: mc_loops.eager_network(self.bundle, rate),
                                     "script": lambda: mc_loops.scripted_network(self.bundle)}
        module = self.networks["module"]
        self.networks["module, channels last"] = (
            lambda: module().to(memory_format=torch.channels_last_3d))
        self.read = mc_loops.read_scan(self.scan, self.description)
        self.loops["plain"] = mc_loops.PlainLoop(self.read, self.description)
        window = self.description["window"]
        if window["input"] == window["output"] and window["blend"] != "none":
            self.loops["monai"] = mc_loops.MonaiLoop(self.read, self.description)


def make_workloads(arguments, folder):
    if arguments.network == "deepmedic":
        return [Workload("deepmedic", arguments.model, arguments.scan, arguments)]
    if arguments.network == "bundled":
        scan = arguments.scan or ROOT / "examples/scans/phantom_0000"
        return [Workload("bundled", ROOT / "models/glioma-phantom", scan, arguments)]
    import monai_unet
    size, brain = ((240, 240, 155), (140, 174, 140)) if arguments.full else ((128,) * 3, None)
    monai_unet.make_scans(size, folder / "scans", 1, brain)
    found = []
    for window in arguments.windows:
        text = "x".join(map(str, window))
        bundle = folder / f"window_{text}"
        monai_unet.make_bundle(monai_unet.make_network(), window, bundle)
        networks = {"module": monai_unet.make_network,
                    "script": lambda bundle=bundle: mc_loops.scripted_network(bundle)}
        found.append(Workload(f"window {text}", bundle, folder / "scans/case_0", arguments,
                              networks))
    return found


# --- Turns ----------------------------------------------------------------------------------------

def predict_options(arguments, scope, precision, passes):
    return ("--scope", scope, "--precision", precision, "--passes", passes, "--threads",
            arguments.threads, "--device", "cpu", "--calibration", "none")


def mcvol_precisions(workload, arguments):
    """Those that it takes; also reads all files once."""
    taken = []
    for precision in arguments.precisions:
        try:
            predict(arguments.mcvol, [workload.scan], workload.bundle,
                    predict_options(arguments, arguments.scopes[0], precision, 1))
            taken.append(precision)
        except Refused as refusal:
            print(f"note: mcvol in {precision} left out: {refusal}", flush=True)
    return taken


def prepare(workload, arguments):
    """Finds the best of each way of PyTorch."""
    plain, monai = (workload.loops.get(name) for name in ("plain", "monai"))
    for precision in arguments.precisions:
        if "plain" in arguments.ways:
            workload.ways[f"plain, {precision}"] = Way(plain, workload.networks, precision, BATCHES)
        if "monai" in arguments.ways and monai:
            modules = {form: make for form, make in workload.networks.items() if form != "script"}
            workload.ways[f"MONAI, {precision}"] = Way(
                monai, modules, precision, BATCHES if len(plain.windows) > 1 else (1,))
    if "written" in arguments.ways:
        written = {"module": lambda: mc_loops.elementwise(workload.networks["module"]())}
        workload.ways["as written, fp32"] = Way(plain, written, "fp32", (1,))
    for name, way in workload.ways.items():
        print(f"{workload.name}: {name}: {way.form}, batch {way.batch}, "
              f"{way.passes} passes scaled to {arguments.passes}", flush=True)
    if "mcvol" in arguments.ways:
        workload.precisions = mcvol_precisions(workload, arguments)


def mcvol_turn(workload, arguments, precision):
    for scope in arguments.scopes:
        kept = workload.mcvol.setdefault(f"{scope}, {precision}", {})
        for passes in (1, arguments.passes):
            ran = predict(arguments.mcvol, [workload.scan], workload.bundle,
                          predict_options(arguments, scope, precision, passes))
            for what, value in (("wall_s", ran["wall_s"]), ("peak_mb", ran["peak_mb"]),
                                ("network_s", ran["run"]["timings_s"]["network"])):
                kept.setdefault(f"{what}_{passes}", []).append(value)
        (record,) = ran["records"].values()
        kept.setdefault("volumes_voxels", []).append(
            [float(mc_loops.recorded_sums(region).mean()) for region in record["regions"]])
        kept["version"] = f"{ran['run']['version']} {ran['run']['commit']}"


def turn(workload, arguments):
    for precision in arguments.precisions:
        if precision in workload.precisions:
            mcvol_turn(workload, arguments, precision)
        for way in workload.ways.values():
            if way.precision == precision:
                way.samples.append(way.measure(arguments.passes))
        if "limit" in arguments.ways:
            workload.rates.setdefault(precision, []).append(gemm_rate(precision))


# --- What is printed ------------------------------------------------------------------------------

def table(header, rows):
    print(f"\n| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def print_mcvol(workload, passes):
    rows = []
    for name, kept in workload.mcvol.items():
        one, many = kept["wall_s_1"], kept[f"wall_s_{passes}"]
        rows.append((name, spread(one), spread(many), spread(ratios(many, one)),
                     spread(kept["network_s_1"]), spread(kept[f"network_s_{passes}"]),
                     spread(kept["peak_mb_1"], 0), spread(kept[f"peak_mb_{passes}"], 0)))
    table(("mcvol", "1 pass, s", f"{passes} passes, s", "ratio of pairs", "network, 1 pass, s",
           f"network, {passes} passes, s", "peak MB, 1 pass", f"peak MB, {passes} passes"), rows)


def print_others(workload, owner, arguments):
    """Everything but mcvol, and its ratio to mcvol on the windows of `owner`."""
    found = {(name, way.precision): way.samples for name, way in workload.ways.items()}
    for precision, rates in workload.rates.items() if owner is workload else ():
        work = gflop(workload.inspected, workload.loops["plain"].windows, arguments.passes)
        for name, amount in zip(("limit", "limit, split"), work):
            found[f"{name}, {precision}", precision] = [amount / rate for rate in rates]
    columns = [(scope, part) for scope in arguments.scopes for part in ("wall", "network")
               if owner.mcvol]
    rows = []
    for (name, precision), samples in found.items():
        kept = [owner.mcvol.get(f"{scope}, {precision}") for scope, _ in columns]
        rows.append([name, spread(samples)] + [
            spread(ratios(samples, of[f"{part}_s_{arguments.passes}"])) if of else ""
            for of, (_, part) in zip(kept, columns)])
    table(["way", f"{arguments.passes} passes, s"] + [
        f"over mcvol `{scope}`, {'whole' if part == 'wall' else 'network'}"
        for scope, part in columns], rows)


def print_volumes(workload):
    """Summed probability: shows that all measure the same."""
    found = {f"mcvol {name}": kept["volumes_voxels"] for name, kept in workload.mcvol.items()}
    found |= {name: way.volumes for name, way in workload.ways.items()}
    table(["mean volume of the passes, ml"] + workload.inspected["regions"],
          [[name] + [f"{voxels * workload.read.voxel_ml:.2f}"
                     for voxels in torch.tensor(samples).mean(0).tolist()]
           for name, samples in found.items()])


def report(workload, workloads, arguments):
    print(f"\n## {workload.name}")
    result = {"inspect": workload.inspected, "mcvol": workload.mcvol}
    if workload.mcvol:
        print_mcvol(workload, arguments.passes)
    if not workload.loops:
        return result
    print_others(workload, workload, arguments)
    for other in workloads:
        if other is not workload and other.mcvol and workload.ways:
            print(f"\nThe same over mcvol with {other.name}:")
            print_others(workload, other, arguments)
    print_volumes(workload)
    windows, work = workload.loops["plain"].windows, workload.inspected["work"]
    counted = counted_gflop(workload.networks["module"](), windows[0])
    print(f"\nWindows: {len(windows)}; GFLOP per window and pass: "
          f"{work['gflop_once_per_window'] + work['gflop_per_pass']:.3f} by mcvol, {counted:.3f} by "
          f"PyTorch's counter; best matrix product, GFLOP/s: " + ", ".join(
              f"{precision} {spread(rates, 0)}" for precision, rates in workload.rates.items()))
    for name, way in workload.ways.items() if arguments.check else ():
        print(f"check: {name}: {arguments.passes} passes took "
              f"{way.measure(arguments.passes, arguments.passes):.2f} s, scaled "
              f"{spread(way.samples)}", flush=True)
    return result | {
        "ways": {name: way.facts() for name, way in workload.ways.items()},
        "gemm_gflop_per_s": workload.rates, "gflop_counted": counted, "windows": len(windows),
        "gflop": gflop(workload.inspected, windows, arguments.passes)}


def words(text):
    return tuple(text.split(","))


def windows(text):
    """"128,144x176x144": cubes and others."""
    sizes = [tuple(map(int, size.split("x"))) for size in text.split(",")]
    return [size * 3 if len(size) == 1 else size for size in sizes]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", required=True, choices=("deepmedic", "bundled", "monai"))
    parser.add_argument("--mcvol", default=PROGRAM)
    parser.add_argument("--model", type=Path, help="bundle of scripts/import_deepmedic.py")
    parser.add_argument("--scan", type=Path, help="case folder, of the bundle's spacing")
    parser.add_argument("--passes", type=int, default=20, help="T (20)")
    parser.add_argument("--repeats", type=int, default=5, help="turns (5)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--scopes", type=words, default=("native", "channel"))
    parser.add_argument("--precisions", type=words, default=("fp32", "bf16"))
    parser.add_argument("--ways", type=words, default=WAYS, help=",".join(WAYS))
    parser.add_argument("--windows", type=windows, default=windows("128,96"),
                        help="of monai: 128 or 144x176x144 (128,96)")
    parser.add_argument("--full", action="store_true", help="monai: 240x240x155 voxels, one turn")
    parser.add_argument("--check", action="store_true", help="T passes of PyTorch once, not scaled")
    parser.add_argument("--distribution", type=int, default=0, metavar="N", help="compare volumes")
    parser.add_argument("--crop", type=int, help="of --distribution: a cube around the tumour")
    parser.add_argument("--json", type=Path, help="all numbers, into a file")
    arguments = parser.parse_args()
    if arguments.network == "deepmedic" and not (arguments.model and arguments.scan):
        parser.error("deepmedic needs --model and --scan")
    if arguments.passes < 2 or arguments.repeats < 1:
        parser.error("expected at least 2 passes and 1 repeat")
    if unknown := set(arguments.ways) - set(WAYS):
        parser.error(f"--ways: no {', '.join(unknown)}")
    if arguments.full:
        arguments.repeats = 1
    return arguments


def cpu_model():
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    return names[0].split(":")[1].strip() if names else "CPU"


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    print(f"{cpu_model()}, PyTorch {torch.__version__}, {arguments.threads} threads, {arguments.passes} passes",
          flush=True)
    result = {"torch": torch.__version__, "cpu": cpu_model(),
              "options": {name: str(value) for name, value in vars(arguments).items()}}
    with tempfile.TemporaryDirectory(prefix="cpu_cost_") as name:
        workloads = make_workloads(arguments, Path(name))
        if arguments.distribution:
            import volume_distributions
            for workload in workloads:
                result[workload.name] = volume_distributions.compare(workload, arguments, Path(name))
        else:
            for workload in workloads:
                prepare(workload, arguments)
            for number in range(arguments.repeats):
                for workload in workloads:
                    turn(workload, arguments)
                print(f"turn {number + 1} of {arguments.repeats}", flush=True)
            for workload in workloads:
                result[workload.name] = report(workload, workloads, arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
