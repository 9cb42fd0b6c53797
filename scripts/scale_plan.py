"""Plan for very many images: time, price, bottlenecks and memory, from stated constants.

`python scripts/scale_plan.py --images 1e8 --gpu-rate resnet50=6000 ...` prints the tables for other
numbers; `--write` fills docs/scale.md by the defaults, and `--check` fails where it differs from
them. What was measured comes from artifacts/reference/benchmarks; all else is assumed, says so, and
is an option.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from blocks import filled, table
from scale_constants import NETWORKS, TIMM, Plan, plan_of

from featkit.naming import duration

_IMAGE_KB = 280

PAGE = Path(__file__).parent.parent / "docs" / "scale.md"


def constants_table(plan: Plan) -> str:
    """Every constant, its value and where it comes from."""
    rows = [["constant", "value", "measured or assumed"]]
    for each in plan.constants.values():
        kind = "measured" if each.measured else "**assumed**"
        rows.append(
            [each.what, f"{_number(each.value)} {each.unit}".strip(), f"{kind}: {each.source}"]
        )
    for network in plan.networks.values():
        rate = f"{network.gpu_rate:,.0f} images/s"
        rows.append([f"{network.name} on a GPU", rate, "**assumed**: timm's list, below"])
    for name, found in plan.cpus.items():
        what = f"{NETWORKS[name].name} on {plan.cpu_cores} cores, files to features, under way"
        value = f"{found.rate:,.1f} images/s"
        rows.append([what, value, f"measured: extraction.json ({found.precision})"])
    return f"{table(rows, numbers=[1])}\n\n{plan.circumstances} Rates of a GPU: {TIMM}."


def million_table(plan: Plan) -> str:
    """What one million images cost."""
    rows = [["one million images", "device", "images/s", "time", "core-hours", "price", "store"]]
    cores = plan["cores_per_gpu"]
    for key, network in plan.networks.items():
        if key in plan.cpus:
            found = plan.cpus[key]
            hours = 1e6 / found.rate / 3600 * plan.cpu_cores
            price = f"${hours * plan['core_price']:,.2f} (assumed)"
            store = plan.row_bytes(network, itemsize=4 if found.precision == "fp32" else 2)
            device = f"CPU, {plan.cpu_cores} cores, {found.precision}"
            rows.append(
                [network.name, device, *_spent(found.rate, hours), price, _bytes(1e6 * store)]
            )
        rate = 1e6 / (1e6 / plan.rate(network, 1) + plan.serial_s() * 1e6 / plan.images)
        hours = 1e6 / rate / 3600
        price = f"${hours * plan['gpu_price']:,.2f} (assumed)"
        device = f"a GPU and {cores:.0f} cores (assumed)"
        store = plan.row_bytes(network)
        rows.append(
            [network.name, device, *_spent(rate, hours * cores), price, _bytes(1e6 * store)]
        )
    words = (
        "Of a GPU, listing and joining counted in, and features in 16 bits; of a CPU as measured, "
        "in the precision that its weights allow."
    )
    return f"{table(rows, numbers=[2, 3, 4, 5, 6])}\n\n{words}"


def _spent(rate: float, core_hours: float) -> list[str]:
    return [f"{rate:,.0f}", duration(1e6 / rate), f"{core_hours:,.1f}"]


def gpus_table(plan: Plan) -> str:
    """Time and price by backbone and number of GPUs."""
    names = [network.name for network in plan.networks.values()]
    rows = [["GPUs (assumed rates)", *names]]
    for gpus in plan.gpus:
        cells = [
            f"{duration(plan.seconds(network, gpus))}, ${plan.price(network, gpus):,.0f}"
            for network in plan.networks.values()
        ]
        rows.append([f"{gpus:,}", *cells])
    serial = (
        f"In each: {duration(plan.serial_s())} in which the driver alone lists files and joins "
        "columns, however many GPUs there are."
    )
    return f"{table(rows, numbers=range(1, len(rows[0])))}\n\n{serial}"


def bottleneck_table(plan: Plan) -> str:
    """What each place allows for one GPU; the lowest of the first three decides."""
    some = next(iter(plan.networks.values()))
    full = int(plan["gpus_node"])
    head = "images/s for one GPU of a full node (assumed)"
    rows = [[head, *plan.limits(some, full), "cores that keep it busy"]]
    for network in plan.networks.values():
        limits = list(plan.limits(network, full).values())
        lowest = min(limits[:3])
        cells = [f"**{each:,.0f}**" if each == lowest else f"{each:,.0f}" for each in limits]
        cores = math.ceil(network.gpu_rate / plan["decode_rate"])
        rows.append([network.name, *cells, f"{cores}"])
    alone = plan.images / plan.serial_s()
    even = [alone / plan.rate(network, 1) for network in plan.networks.values()]
    words = (
        f"From {min(even):.0f} to {max(even):.0f} GPUs on, by backbone, the driver's own work "
        "takes longer than all else."
    )
    return f"{table(rows, numbers=range(1, len(rows[0])))}\n\n{words}"


def memory_table(plan: Plan) -> str:
    """Bytes at each place."""
    count = plan.images
    rows = [["place", "what", "an image", f"{count:,.0f} images"]]
    driver = plan["driver_bytes"]
    rows.append(
        ["driver", "ids, groups, labels, paths", f"{driver:,.0f} B", _bytes(driver * count)]
    )
    fixed = f"{plan['worker_gib']:.1f} GiB a process"
    rows.append(["worker", "libraries, network, a few batches", "–", fixed])
    rows.append(["GPU", "network, two batches", "–", f"{plan['gpu_gib']:.0f} GiB (assumed)"])
    extra = plan["row_bytes"]
    for network in plan.networks.values():
        size = 2 * network.dimension
        what = f"features of {network.name}, 16 bits"
        rows.append(["store, shards", what, f"{size:,} B", _bytes(size * count)])
    what = "ids, groups, labels, hashes"
    rows.append(["store, the file that joins", what, f"{extra:,.0f} B", _bytes(extra * count)])
    image = 1000 * plan["image_kb"]
    rows.append(["images", "files (assumed size)", _bytes(image), _bytes(image * count)])
    return table(rows, numbers=[2, 3])


def order_table(plan: Plan) -> str:
    """What is needed to be done within some hours, listing and joining counted in."""
    head = ["done within", "backbone", "GPUs", "and their cores", "or cores alone"]
    rows = [[*head, "reading", "writing"]]
    for hours in (4, 24):
        left = 3600 * hours - plan.serial_s()
        if left <= 0:
            alone = f"not possible: the driver alone takes {duration(plan.serial_s())}"
            rows.append([f"{hours} h", alone, *["–"] * 5])
            continue
        for key, network in plan.networks.items():
            rate = plan.images / left
            gpus = math.ceil(rate / plan.rate(network, 1))
            cores = "–"
            if key in plan.cpus:
                cores = f"{math.ceil(rate / plan.cpus[key].rate * plan.cpu_cores):,}"
            beside = f"{gpus * plan['cores_per_gpu']:,.0f}"
            reading = f"{rate * plan['image_kb'] / 1e6:.2f} GB/s"
            writing = f"{rate * plan.row_bytes(network) / 1e6:.1f} MB/s"
            machines = [f"{gpus:,}", beside, cores]
            rows.append([f"{hours} h", network.name, *machines, reading, writing])
    words = (
        "Of cores alone: by the rate measured on a few of them, in proportion, which is assumed."
    )
    return f"{table(rows, numbers=range(2, len(rows[0])))}\n\n{words}"


BLOCKS = {
    "constants": constants_table,
    "million": million_table,
    "gpus": gpus_table,
    "bottleneck": bottleneck_table,
    "memory": memory_table,
    "order": order_table,
}


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"


def _bytes(count: float) -> str:
    for size, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:.0f} B"


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    mode = found.add_mutually_exclusive_group()
    mode.add_argument("--write", action="store_true", help="fill docs/scale.md by the defaults")
    mode.add_argument("--check", action="store_true", help="fail where docs/scale.md differs")
    found.add_argument("--images", type=_positive, default=1e8, help="default 100 million")
    found.add_argument("--gpus", type=int, nargs="+", default=[1, 8, 32, 128])
    found.add_argument(
        "--gpu-rate",
        type=_rate,
        action="append",
        default=[],
        metavar="NAME=RATE",
        help=f"images/s of a GPU's network; NAME is one of {', '.join(NETWORKS)}",
    )
    for option, default, words in (
        ("--image-kb", _IMAGE_KB, "size of an image file"),
        ("--share", 0.7, "share of the lowest limit that is reached"),
        ("--cores-per-gpu", 24, "cores for each GPU"),
        ("--gpus-per-node", 8, "GPUs in a node"),
        ("--nic-gbit", 100, "network card of a node"),
        ("--write-gb", 1, "GB/s that a shared file system writes"),
        ("--s3-get-ms", 2, "a core's ms for a GET by s3fs"),
        ("--https-get-ms", 0.5, "a core's ms for a GET by https"),
        ("--gpu-gib", 8, "GPU memory of a worker"),
        ("--gpu-price", 1, "dollars an hour for a GPU with its cores"),
        ("--core-price", 0.045, "dollars an hour for a core"),
    ):
        found.add_argument(option, type=_positive, default=default, help=f"{words}; {default:g}")
    for option, words in (
        ("--decode-rate", "images/s that a core decodes"),
        ("--listing-us", "µs to list an image"),
        ("--joining-us", "µs to join an image's columns"),
        ("--row-bytes", "bytes of an image in the store beyond its features"),
        ("--driver-bytes", "bytes of an image in the driver"),
    ):
        found.add_argument(option, type=_positive, help=f"{words}; as measured or tried")
    return found


def _positive(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError("a number above 0")
    return value


def _rate(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    if name not in NETWORKS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(NETWORKS)}")
    return name, _positive(rate)


def main(words: Sequence[str] | None = None) -> None:
    options = parser().parse_args(words)
    if options.image_kb != _IMAGE_KB and options.decode_rate is None:
        parser().error(
            f"--image-kb {options.image_kb:g}: the decoding rate is of files of {_IMAGE_KB} kB; "
            "give --decode-rate, too"
        )
    if not (options.write or options.check):
        plan = plan_of(options)
        print("\n\n".join(make(plan) for make in BLOCKS.values()))
        return
    before = PAGE.read_text()
    plan = plan_of(parser().parse_args([]))
    after = filled(PAGE, {name: partial(make, plan) for name, make in BLOCKS.items()})
    if options.check:
        sys.exit(before != after and "docs/scale.md differs from scripts/scale_plan.py --write")
    PAGE.write_text(after)


if __name__ == "__main__":
    main()
