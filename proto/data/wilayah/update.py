#!/usr/bin/env python3
"""Writes wilayah.tsv from the CSV files of the npm package idn-area-data.

    npm pack idn-area-data@4.0.1 && tar xf idn-area-data-4.0.1.tgz
    proto/data/wilayah/update.py package/data
"""

import csv
import pathlib
import sys

LEVELS = ("provinces", "regencies", "districts", "villages")


def main(source: pathlib.Path) -> None:
    rows = []
    for level in LEVELS:
        with open(source / f"{level}.csv", encoding="utf-8", newline="") as file:
            found = [(row["code"], row["name"].strip()) for row in csv.DictReader(file)]
        print(f"{level}: {len(found)}")
        rows += found
    rows.sort()
    codes = {code for code, _ in rows}
    assert len(codes) == len(rows), "a code occurs twice"
    for code, name in rows:
        assert name and "\t" not in name and "\n" not in name, code
        assert "." not in code or code.rpartition(".")[0] in codes, f"{code} has no parent"
    target = pathlib.Path(__file__).with_name("wilayah.tsv")
    target.write_text("".join(f"{code}\t{name}\n" for code, name in rows), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
