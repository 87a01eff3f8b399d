"""Whether the volumes of mcvol's passes are distributed as those of PyTorch's own dropout."""
import math

import torch
from scipy import stats

import mc_loops
from measured_process import predict
from pytorch_ways import run_loop

BATCH = 2


def crop_around_tumour(workload, size, folder):
    """A case folder with the cube of `size` voxels around what the network segments."""
    loop = workload.loops["plain"]
    network = mc_loops.set_dropout(workload.networks["module"](), on=False)
    mean = run_loop(loop, network, 1, 1, "fp32")[1].mean
    inside = mean[workload.description["regions"][0]["outputs"]].sum(0)
    voxels = workload.read.measured.nonzero()[inside > min(0.5, float(inside.max()) / 2)]
    centre = voxels.double().mean(0).round().int().tolist()
    out = folder / "crop"
    mc_loops.write_cube(workload.scan, workload.description, centre, size, out)
    return out


def z_of_means(a, b):
    return float((a.mean() - b.mean()) / math.sqrt(a.var() / len(a) + b.var() / len(b)))


def z_of_sds(a, b):
    """Of the log of their ratio, whose variance is (kurtosis - 1) / 4n."""
    variance = sum((stats.kurtosis(x.numpy(), fisher=False) - 1) / (4 * len(x)) for x in (a, b))
    return float((a.std() / b.std()).log()) / math.sqrt(variance)


def compare(workload, arguments, folder):
    """Prints a table, for native masks in fp32, and gives all volumes in voxels."""
    passes, scan, loop = arguments.distribution, workload.scan, workload.loops["plain"]
    if arguments.crop:
        scan = crop_around_tumour(workload, arguments.crop, folder / workload.name)
        loop = mc_loops.PlainLoop(mc_loops.read_scan(scan, workload.description),
                                  workload.description)
    options = ("--scope", "native", "--passes", passes, "--threads", arguments.threads, "--device",
               "cpu", "--precision", "fp32", "--calibration", "none")
    (record,) = predict(arguments.mcvol, [scan], workload.bundle, options)["records"].values()
    torch.manual_seed(0)
    network = mc_loops.set_dropout(workload.networks["module"]())
    kept = run_loop(loop, network, passes, BATCH, "fp32")[1]
    print(f"\n## {workload.name}: volumes of {passes} passes in voxels, windows: {len(loop.windows)}\n\n"
          "| region | volume | mcvol, mean (SD) | PyTorch, mean (SD) | z of means | z of SDs | "
          "Kolmogorov-Smirnov p |\n|---|---|---|---|---|---|---|")
    volumes = {}
    for number, region in enumerate(record["regions"]):
        for what, own, other in (
                ("summed", mc_loops.recorded_sums(region), kept.sums[:, number]),
                ("p > 0.5", torch.tensor(region["above_half"]), kept.above_half[:, number])):
            own, other = own.double(), other.double()
            volumes[f"{region['region']}, {what}"] = {"mcvol": own.tolist(),
                                                     "pytorch": other.tolist()}
            if own.std() > 0 and other.std() > 0:
                compared = (f"{z_of_means(own, other):.2f} | {z_of_sds(own, other):.2f} | "
                            f"{stats.ks_2samp(own.numpy(), other.numpy()).pvalue:.3f}")
            else:
                compared = " | | "
            print(f"| {region['region']} | {what} | {own.mean():.1f} ({own.std():.1f}) | "
                  f"{other.mean():.1f} ({other.std():.1f}) | {compared} |", flush=True)
    return volumes
